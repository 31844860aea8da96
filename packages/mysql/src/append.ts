import type { Applied, AppendStep, HeadWrite, SqlSession } from '@varve/sql'
import type { Connection } from 'mysql2/promise'
import { admits, HeadStatements } from './append-heads.js'
import type { Head, NewHead } from './append-heads.js'
import { checksumOf, RowStatements } from './append-rows.js'
import type { NewRow } from './append-rows.js'
import type { MysqlDriver } from './driver.js'
import { LoneAppend } from './lone-append.js'
import { timeOfText } from './decode.js'
import type { Names } from './names.js'
import { MysqlSession } from './session.js'

/** @param appended called when something was appended */
export function appendStep(driver: MysqlDriver, names: Names, appended: () => void): AppendStep<Connection> {
  const heads = new HeadStatements(names)
  const rows = new RowStatements(names)
  const lone = new LoneAppend(driver, names)

  /** Begin, lock, heads, events, commit: five round trips, and one more for each further 64 events. */
  const store = async (
    session: SqlSession,
    writes: readonly HeadWrite[],
  ): Promise<(Applied | undefined)[]> => {
    if (!(session instanceof MysqlSession)) throw new TypeError('the session is of another driver')
    session.refuseEnded()
    const locked = await heads.lock(session, writes)
    const planned = writes.map((write) => plan(write, locked.heads.get(keyOf(write)), locked.log.now))
    const written = planned.filter((head) => head !== undefined && head.write.events.length > 0) as NewHead[]
    await heads.store(session, written, locked.log.now)
    const newRows = written.flatMap(rowsOf)
    const positions = await rows.insert(session, newRows, locked.log)
    let used = 0
    return planned.map((head) => {
      if (head === undefined) return undefined
      const { version, streamType, at, write } = head
      const from = used
      used += write.events.length
      return {
        version,
        streamType,
        positions: positions.slice(from, used),
        recordedAt: timeOfText(at),
        checksums: newRows.slice(from, used).map(({ checksum }) => checksum),
      }
    })
  }

  return {
    async flush(writes) {
      const alone = await lone.append(writes)
      const applied =
        alone === undefined ? await driver.transaction((session) => store(session, writes)) : [alone]
      applied.forEach((one, index) => {
        const write = writes[index]
        if (one !== undefined && write !== undefined) lone.learn(write, one)
      })
      appended()
      return applied
    },
    within: store,
  }
}

/** The head after the write; undefined when it is not as expected. */
function plan(write: HeadWrite, before: Head | undefined, now: string): NewHead | undefined {
  if (!admits(write, before)) return undefined
  const updatedAt = before?.updatedAt ?? ''
  return {
    write,
    before,
    streamType: before?.streamType ?? write.streamType ?? 'stream',
    version: (before?.version ?? 0) + write.events.length,
    // the clock may have been set back since the stream's last event
    at: updatedAt > now ? updatedAt : now,
  }
}

function rowsOf(head: NewHead): NewRow[] {
  const before = head.version - head.write.events.length
  return head.write.events.map((event, index) => {
    const version = before + index + 1
    return { event, head, version, checksum: checksumOf(event, head, version) }
  })
}

function keyOf({ tenantId, streamId }: HeadWrite): string {
  return `${tenantId}\0${streamId}`
}
