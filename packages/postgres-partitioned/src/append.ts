import { hash } from 'node:crypto'
import { TransactionConflictError } from '@varve/core'
import { int4Array, int8Array, textArray, uuidArray } from '@varve/postgres'
import type { Applied, AppendStep, HeadWrite, SqlDriver, SqlSession } from '@varve/sql'
import type { PartitionNames } from './names.js'

/** An id is stored already, in whichever partition: to the store the same as a violated key. */
class StoredIdError extends Error {
  readonly code = '23505'
}

const INVISIBLE =
  'An event with the same id was stored after this transaction began, and cannot be seen in it (it is REPEATABLE READ or ' +
  'SERIALIZABLE). Run the transaction again.'

// a lock for each id would fill the server's table of locks; of these an append takes one for each of its ids at most
const LOCKS = 4096

/**
 * Each partition keeps its own ids unique; across partitions an append does that whose ids may be stored already.
 * Two who bring the same id take turns by an advisory lock on it. Afterwards, in a statement of its own that sees what was
 * committed until then, all partitions are asked: behind the locks of the heads too, so that an append whose answer was
 * lost, and which is still under way, has ended by then. A transaction of the caller's may go by an older snapshot: then
 * another connection is asked as well.
 */
export function uniqueAcrossPartitions<Client>(
  driver: SqlDriver<Client>,
  step: AppendStep<Client>,
  names: PartitionNames,
): AppendStep<Client> {
  const lock =
    "select pg_advisory_xact_lock(hashtext($1::text), id), current_setting('transaction_isolation') from unnest($2::int4[]) id"
  const look = `select ${names.on('ids_stored')}($1::text[], $2::uuid[], $3::int8[])`

  const checked = async (session: SqlSession<Client>, writes: readonly HeadWrite[]) => {
    const [row] = await session.query(lock, [`varve ids of ${names.schema}`, int4Array(locksOf(writes))])
    const applied = await step.within(session, writes, { mayBeStored: true })
    if (await areStored(session, writes, applied))
      throw new StoredIdError('an event id is stored in another partition')
    const older = row?.[1] === 'repeatable read' || row?.[1] === 'serializable'
    if (older && (await areStored(driver, writes, applied))) throw new TransactionConflictError(INVISIBLE)
    return applied
  }

  const areStored = async (
    session: Pick<SqlSession<Client>, 'query'>,
    writes: readonly HeadWrite[],
    applied: readonly (Applied | undefined)[],
  ): Promise<boolean> => {
    const stored = writes.filter((_, index) => applied[index] !== undefined)
    const ids = stored.flatMap((write) => write.events.map((event) => event.id))
    if (ids.length === 0) return false
    const tenants = [...new Set(stored.map((write) => write.tenantId))]
    const positions = applied.flatMap((place) => place?.positions ?? [])
    const [row] = await session.query(look, [textArray(tenants), uuidArray(ids), int8Array(positions)])
    return row?.[0] !== 'f'
  }

  return {
    flush: (writes, options) =>
      options.mayBeStored
        ? driver.transaction((session) => checked(session, writes))
        : step.flush(writes, options),
    within: (session, writes, options) =>
      options.mayBeStored ? checked(session, writes) : step.within(session, writes, options),
  }
}

/** In ascending order, so that appends wait for each other in one direction only. */
function locksOf(writes: readonly HeadWrite[]): number[] {
  const locks = new Set<number>()
  for (const { tenantId, events } of writes) {
    for (const { id } of events)
      locks.add(hash('sha256', `${tenantId}\0${id}`, 'buffer').readUInt16BE() % LOCKS)
  }
  return [...locks].toSorted((a, b) => a - b)
}
