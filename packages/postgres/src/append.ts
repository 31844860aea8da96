import { canonicalParts } from '@varve/core'
import type { PreparedEvent } from '@varve/core'
import { EXISTS } from '@varve/sql'
import type { Applied, AppendStep, HeadWrite, SqlDriver, SqlRow, SqlSession, SqlValue } from '@varve/sql'
import { flushStatement, singleStatements } from './append-sql.js'
import { int4Array, int8Array, textArray, timeArray, uuidArray } from './binary.js'
import { isLockTimeout } from './classify.js'
import { decode, tagsLiteral } from './decode.js'
import { FirstStatistics } from './first-statistics.js'
import type { Names } from './names.js'

type Run = (text: string, params: readonly SqlValue[]) => Promise<SqlRow[]>

/** Appends in one statement, which is one round trip and one transaction. */
export function appendStep<Client>(driver: SqlDriver<Client>, names: Names): AppendStep<Client> {
  const single = singleStatements(names)
  const statistics = new FirstStatistics(driver, names)
  const waiting = flushStatement(names, { skipLocked: false })
  const passing = flushStatement(names, { skipLocked: true })

  const store = (run: Run, writes: readonly HeadWrite[], flush: string): Promise<(Applied | undefined)[]> => {
    const [write] = writes
    const [event] = write?.events ?? []
    if (writes.length === 1 && write?.events.length === 1 && event !== undefined)
      return storeOne(run, write, event)
    return storeMany(run, writes, flush)
  }

  const storeOne = async (
    run: Run,
    write: HeadWrite,
    event: PreparedEvent,
  ): Promise<(Applied | undefined)[]> => {
    const text = write.expected > 0 || write.expected === EXISTS ? single.existing : single.creating
    const [row] = await run(text, singleParameters(write, event))
    if (row === undefined) return [undefined]
    statistics.appended(1)
    return [
      {
        version: decode.number(row[1]),
        streamType: row[2] as string,
        positions: [decode.number(row[0])],
        recordedAt: decode.time(row[3]),
        checksums: [row[4] as string],
      },
    ]
  }

  const storeMany = async (
    run: Run,
    writes: readonly HeadWrite[],
    flush: string,
  ): Promise<(Applied | undefined)[]> => {
    const rows = await run(flush, flushParameters(writes))
    const heads = new Map<number, SqlRow>()
    let positions: number[] = []
    let checksums = ''
    for (const row of rows) {
      if (row[0] !== null) heads.set(decode.number(row[0]), row)
      else if (row[4] !== null) {
        positions = (row[4] as string)
          .slice(1, -1)
          .split(',')
          .map((position) => decode.number(position))
        checksums = row[5] as string
      }
    }
    statistics.appended(positions.length)
    let used = 0
    return writes.map((write, index) => {
      const head = heads.get(index + 1)
      if (head === undefined) return undefined
      const from = used
      used += write.events.length
      return {
        version: decode.number(head[1]),
        streamType: head[2] as string,
        positions: positions.slice(from, used),
        recordedAt: decode.time(head[3]),
        checksums: write.events.map((_, at) => checksums.slice((from + at) * 64, (from + at + 1) * 64)),
      }
    })
  }

  return {
    flush: (writes) => {
      const run: Run = (text, params) => driver.query(text, params)
      if (writes.length === 1) return store(run, writes, waiting)
      return store(run, writes, passing).catch((error: unknown) => {
        if (!isLockTimeout(error)) throw error
        return writes.map(() => undefined)
      })
    },
    async within(session, writes) {
      const applied = await store((text, params) => session.query(text, params), writes, waiting)
      await removePlaceholders(session, names, writes, applied)
      return applied
    },
  }
}

/** A check of a stream that does not exist holds its key by a row of version 0; it must not outlive the transaction. */
async function removePlaceholders(
  session: SqlSession,
  names: Names,
  writes: readonly HeadWrite[],
  applied: readonly (Applied | undefined)[],
): Promise<void> {
  const checked = writes.filter((_, index) => applied[index]?.version === 0)
  if (checked.length === 0) return
  await session.query(
    `delete from ${names.streams} where version = 0 and (tenant_id, stream_id) in ` +
      '(select * from unnest($1::text[], $2::text[]))',
    [textArray(checked.map((write) => write.tenantId)), textArray(checked.map((write) => write.streamId))],
  )
}

function singleParameters(write: HeadWrite, event: PreparedEvent): SqlValue[] {
  const { pre, post, tail } = canonicalParts(event, write.tenantId, write.streamId)
  return [
    write.tenantId,
    write.streamId,
    write.streamType ?? null,
    write.expected,
    event.id,
    event.type,
    event.schemaVersion,
    event.data,
    event.metadata,
    tagsLiteral(event.tags),
    event.correlationId ?? null,
    event.causationId ?? null,
    event.createdBy ?? null,
    event.occurredAt.toISOString(),
    event.sizeBytes,
    pre,
    post,
    tail,
  ]
}

function flushParameters(writes: readonly HeadWrite[]): SqlValue[] {
  const numbers: number[] = []
  const nth: number[] = []
  const events: PreparedEvent[] = []
  const pre: string[] = []
  const post: string[] = []
  const tail: string[] = []
  for (const [index, write] of writes.entries()) {
    for (const [at, event] of write.events.entries()) {
      const parts = canonicalParts(event, write.tenantId, write.streamId)
      numbers.push(index + 1)
      nth.push(at + 1)
      events.push(event)
      pre.push(parts.pre)
      post.push(parts.post)
      tail.push(parts.tail)
    }
  }
  return [
    textArray(writes.map((write) => write.tenantId)),
    textArray(writes.map((write) => write.streamId)),
    textArray(writes.map((write) => write.streamType ?? null)),
    int8Array(writes.map((write) => write.expected)),
    int4Array(writes.map((write) => write.events.length)),
    int4Array(numbers),
    int4Array(nth),
    uuidArray(events.map((event) => event.id)),
    textArray(events.map((event) => event.type)),
    int4Array(events.map((event) => event.schemaVersion)),
    textArray(events.map((event) => event.data)),
    textArray(events.map((event) => event.metadata)),
    textArray(events.map((event) => tagsLiteral(event.tags))),
    textArray(events.map((event) => event.correlationId ?? null)),
    textArray(events.map((event) => event.causationId ?? null)),
    textArray(events.map((event) => event.createdBy ?? null)),
    timeArray(events.map((event) => event.occurredAt)),
    int4Array(events.map((event) => event.sizeBytes)),
    textArray(pre),
    textArray(post),
    textArray(tail),
  ]
}
