import { canonicalParts } from '@varve/core'
import type { PreparedEvent } from '@varve/core'
import { ANY, EXISTS } from '@varve/sql'
import type { Applied, AppendStep, HeadWrite, SqlDriver, SqlRow, SqlSession, SqlValue } from '@varve/sql'
import { singleStatements } from './append-sql.js'
import { int4Array, int8Array, textArray, timeArray, uuidArray } from './binary.js'
import { isLockTimeout } from './classify.js'
import { decode, tagsLiteral } from './decode.js'
import { FirstStatistics } from './first-statistics.js'
import { flushStatement } from './flush-sql.js'
import { KnownStreams } from './known-streams.js'
import type { Names } from './names.js'

type Run = (text: string, params: readonly SqlValue[]) => Promise<SqlRow[]>

/** Appends in one statement, which is one round trip and one transaction. */
export function appendStep<Client>(driver: SqlDriver<Client>, names: Names): AppendStep<Client> {
  const single = singleStatements(names)
  const statistics = new FirstStatistics(driver, names)
  const known = new KnownStreams()
  const flushes = {
    existing: {
      waiting: flushStatement(names, { creating: false, skipLocked: false }),
      passing: flushStatement(names, { creating: false, skipLocked: true }),
    },
    any: {
      waiting: flushStatement(names, { creating: true, skipLocked: false }),
      passing: flushStatement(names, { creating: true, skipLocked: true }),
    },
  }

  /** Whether the write can do without making its stream; should it be gone, the write is a miss, and the next try makes it. */
  const exists = (write: HeadWrite): boolean =>
    write.events.length > 0 &&
    (write.expected > 0 || write.expected === EXISTS || (write.expected === ANY && known.has(write)))

  const store = async (
    run: Run,
    writes: readonly HeadWrite[],
    held: 'waiting' | 'passing',
  ): Promise<readonly (Applied | undefined)[]> => {
    const [write] = writes
    const [event] = write?.events ?? []
    const existing = (writes.length === 1 || held === 'passing') && writes.every(exists)
    const applied =
      writes.length === 1 && write?.events.length === 1 && event !== undefined
        ? [await storeOne(run, existing ? single.existing : single.creating, write, event)]
        : await storeMany(run, flushes[existing ? 'existing' : 'any'][held], writes)
    known.learn(writes, applied)
    return applied
  }

  const storeOne = async (
    run: Run,
    text: string,
    write: HeadWrite,
    event: PreparedEvent,
  ): Promise<Applied | undefined> => {
    const [row] = await run(text, singleParameters(write, event))
    if (row === undefined) return undefined
    statistics.appended(1)
    return {
      version: decode.number(row[1]),
      streamType: row[2] as string,
      positions: [decode.number(row[0])],
      recordedAt: decode.time(row[3]),
      checksums: [row[4] as string],
    }
  }

  const storeMany = async (
    run: Run,
    text: string,
    writes: readonly HeadWrite[],
  ): Promise<readonly (Applied | undefined)[]> => {
    const [row] = await run(text, flushParameters(writes))
    const positions = elements(row?.[4]).map((position) => decode.number(position))
    statistics.appended(positions.length)
    return appliedOf(writes, row ?? [], positions)
  }

  return {
    flush: (writes) => {
      const run: Run = (text, params) => driver.query(text, params)
      if (writes.length === 1) return store(run, writes, 'waiting')
      return store(run, writes, 'passing').catch((error: unknown) => {
        if (!isLockTimeout(error)) throw error
        return writes.map(() => undefined)
      })
    },
    async within(session, writes) {
      const applied = await store((text, params) => session.query(text, params), writes, 'waiting')
      await removePlaceholders(session, names, writes, applied)
      return applied
    },
  }
}

/** Of the one row of a flush: which writes were applied, their versions, types and times; then what the events got. */
function appliedOf(
  writes: readonly HeadWrite[],
  row: SqlRow,
  positions: readonly number[],
): (Applied | undefined)[] {
  const numbers = elements(row[0])
  const versions = elements(row[1])
  const types = JSON.parse((row[2] as string | null) ?? '[]') as string[]
  const times = elements(row[3])
  const checksums = (row[5] as string | null) ?? ''
  const places = new Map(numbers.map((no, place) => [Number(no), place]))
  let used = 0
  return writes.map((write, index) => {
    const place = places.get(index + 1)
    if (place === undefined) return undefined
    const from = used
    used += write.events.length
    return {
      version: decode.number(versions[place]),
      streamType: types[place] as string,
      positions: positions.slice(from, used),
      recordedAt: decode.time(times[place]),
      checksums: write.events.map((_, at) => checksums.slice((from + at) * 64, (from + at + 1) * 64)),
    }
  })
}

/** Of an array of numbers, or of times, as the server writes it. */
function elements(array: unknown): string[] {
  return typeof array === 'string' ? array.replaceAll(/[{}"]/g, '').split(',') : []
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
