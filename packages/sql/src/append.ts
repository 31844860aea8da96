import { isStoreUnavailableError, TransactionConflictError } from '@varve/core'
import type { AppendResult, PreparedWrite, StreamInfo } from '@varve/core'
import { headOf, headOfGroup } from './append-group.js'
import type { AppendGroup } from './append-group.js'
import { refuse, resultOf } from './append-outcome.js'
import { AppendQueue } from './append-queue.js'
import type { QueuedAppend } from './append-queue.js'
import type { Applied } from './dialect.js'
import type { SqlSession } from './driver.js'
import { eventsById, repetition } from './duplicate.js'
import type { Engine } from './engine.js'
import { ofCaller, retrying, toStoreError, unreachable } from './failure.js'
import type { Attempt } from './failure.js'
import type { Query } from './read-access.js'
import { headReader } from './streams.js'

/** Thrown to roll a transaction back whose writes were not all applied. */
class NotApplied extends Error {}

/** A race for a stream's creation is lost at most once per creator; more rounds than this are a fault of ours. */
const MAX_ROUNDS = 50

/** A key is taken twice in a row, and what took it is not to be seen. */
const INVISIBLE =
  'An event with the same id, or of the same version, was stored after this transaction began, and cannot be seen in it ' +
  '(it is REPEATABLE READ or SERIALIZABLE). Run the transaction again; if that fails each time, store.verify() tells more.'

/** Appends of one flush that are repeated at once, each on a connection of its own. */
const MAX_SINGLES = 4

/** Everything that appends: the queue that coalesces, the repetition of what was lost, and the reasons of what was refused. */
export class Appender<Client> {
  readonly #engine: Engine<Client>
  readonly #queue: AppendQueue
  readonly #query: Query
  readonly #head: ReturnType<typeof headReader>

  constructor(engine: Engine<Client>) {
    this.#engine = engine
    this.#query = (text, params, map) => engine.driver.query(text, params, map)
    this.#head = headReader(engine.dialect)
    this.#queue = new AppendQueue({
      flushes: engine.dialect.flushes,
      atomics: engine.dialect.flushes * 2,
      coalesce: engine.inline === undefined,
      flush: (groups, free) => this.#flush(groups, free),
      atomic: (append) => this.#settle(append, () => this.#atomically(append.writes)),
    })
  }

  append(write: PreparedWrite): Promise<AppendResult> {
    return this.#queue.append([write]).then(firstOf)
  }

  appendMany(writes: readonly PreparedWrite[]): Promise<AppendResult[]> {
    return this.#queue.append(writes)
  }

  /** Appends inside a transaction. What fails leaves nothing behind and the transaction usable. */
  async within(
    session: SqlSession<Client>,
    writes: readonly PreparedWrite[],
    /** Told when the database has ended the transaction under way. */
    ended: (error: Error) => void,
  ): Promise<AppendResult[]> {
    const current = this.#engine.dialect.currentRead ?? ''
    const query: Query = (text, params, map) => session.query(`${text}${current}`, params, map)
    let unseen = false
    for (let round = 0; ; round++) {
      await session.script('savepoint varve_append')
      let failure: unknown
      try {
        const applied = await this.#engine.dialect.append.within(session, writes.map(headOf), {
          mayBeStored: round > 0 || suppliesIds(writes),
        })
        const results = resultsOf(writes, applied)
        if (results !== undefined) {
          await this.#engine.inline?.(session, results)
          await session.script('release savepoint varve_append')
          return results
        }
      } catch (error) {
        failure = error
      }
      await this.#undo(session, failure, ended)
      if (failure !== undefined && this.#engine.driver.classify(failure).kind !== 'unique') throw failure
      const known = await this.#diagnose(query, writes, false)
      if (known !== undefined) return known
      if (failure !== undefined && unseen) throw new TransactionConflictError(INVISIBLE, failure)
      unseen = failure !== undefined
      if (round >= MAX_ROUNDS) throw failure ?? new NotApplied('the heads keep changing')
    }
  }

  /** Back to before the append; a transaction that the database has ended altogether has no savepoint any more. */
  async #undo(session: SqlSession<Client>, failure: unknown, ended: (error: Error) => void): Promise<void> {
    try {
      await session.script('rollback to savepoint varve_append')
      // it would stay, and the next one be nested in it
      await session.script('release savepoint varve_append')
    } catch (error) {
      const reason = toStoreError(this.#engine.driver, failure ?? error)
      ended(reason instanceof Error ? reason : new Error(String(reason)))
      throw reason
    }
  }

  async #flush(
    groups: readonly AppendGroup[],
    free: (settled: readonly AppendGroup[]) => void,
    sentBefore = false,
  ): Promise<void> {
    const [only] = groups
    if (groups.length === 1 && only?.appends.length === 1) return this.#singly(only, sentBefore)
    const writes = groups.flatMap((group) => group.appends.flatMap((append) => append.writes))
    let repeat = [...groups]
    let resent = sentBefore
    try {
      const flush = (attempt: Attempt) => {
        resent = attempt.resent
        return this.#engine.dialect.append.flush(groups.map(headOfGroup), {
          mayBeStored: resent || suppliesIds(writes),
        })
      }
      const applied = await this.#retrying(writes, flush, sentBefore)
      repeat = groups.filter((group, index) => !resolveGroup(group, applied[index]))
      this.#engine.appended?.()
    } catch (error) {
      if (this.#concernsAll(error)) {
        for (const append of groups.flatMap((group) => group.appends))
          append.reject(ofCaller(error, append.writes.flatMap(idsOf)))
        return
      }
      // a stored id, a bad row: each append by itself, so that only the culprit is told
    }
    free(groups.filter((group) => !repeat.includes(group)))
    const workers = Array.from({ length: MAX_SINGLES }, async () => {
      for (let group = repeat.shift(); group !== undefined; group = repeat.shift()) {
        // a stream's appends together at first: if somebody holds it, none of them waits for the ones before it to give up
        if (groups.length > 1) await this.#flush([group], () => undefined, resent)
        else await this.#singly(group, resent)
        free([group])
      }
    })
    await Promise.all(workers)
  }

  /** Appends the group's appends one by one, in the order of the calls. */
  async #singly(group: AppendGroup, sentBefore: boolean): Promise<void> {
    for (const append of group.appends) {
      await this.#settle(append, () =>
        this.#retrying(append.writes, (attempt) => this.#alone(append.writes, attempt), sentBefore),
      )
    }
  }

  async #alone(writes: readonly PreparedWrite[], { resent }: Attempt): Promise<AppendResult[]> {
    for (let round = 0; ; round++) {
      let failure: unknown
      try {
        const applied = await this.#engine.dialect.append.flush(writes.map(headOf), {
          mayBeStored: resent || round > 0 || suppliesIds(writes),
        })
        const results = resultsOf(writes, applied)
        if (results !== undefined) return results
      } catch (error) {
        if (this.#engine.driver.classify(error).kind !== 'unique') throw error
        failure = error
      }
      const known = await this.#diagnose(this.#query, writes, resent)
      if (known !== undefined) return known
      if (round >= MAX_ROUNDS) throw failure ?? new NotApplied('the head keeps changing')
    }
  }

  #atomically(writes: readonly PreparedWrite[]): Promise<AppendResult[]> {
    return this.#retrying(writes, async ({ resent }) => {
      for (let round = 0; ; round++) {
        let failure: unknown
        try {
          return await this.#engine.driver.transaction(async (session) => {
            const applied = await this.#engine.dialect.append.within(session, writes.map(headOf), {
              mayBeStored: resent || round > 0 || suppliesIds(writes),
            })
            const results = resultsOf(writes, applied)
            if (results === undefined) throw new NotApplied('the heads keep changing')
            await this.#engine.inline?.(session, results)
            return results
          })
        } catch (error) {
          if (!(error instanceof NotApplied) && this.#engine.driver.classify(error).kind !== 'unique')
            throw error
          failure = error
        }
        const known = await this.#diagnose(this.#query, writes, resent)
        if (known !== undefined) return known
        if (round >= MAX_ROUNDS) throw failure
      }
    })
  }

  /**
   * Finds out why writes were not applied: the original results if they are a repetition, undefined if nothing stands
   * against them by now (a race was lost, and is over), else the error that the caller is to get.
   */
  async #diagnose(
    query: Query,
    writes: readonly PreparedWrite[],
    resent: boolean,
  ): Promise<AppendResult[] | undefined> {
    const [first] = writes
    if (first === undefined) return undefined
    const ids = writes.flatMap(idsOf)
    const stored = await eventsById(this.#engine.dialect, query, first.tenantId, ids)
    const repeated = repetition(writes, stored)
    const heads: (StreamInfo | undefined)[] = []
    // one after the other: in a transaction they share a connection
    for (const write of writes) heads.push(await this.#head(query, write.tenantId, write.streamId))
    if (repeated !== undefined) {
      // an id made by this very call can only have been stored by it, when its answer was lost
      const own = resent && !suppliesIds(writes)
      return repeated.map((result, index) =>
        result === undefined
          ? { ...checked(writes[index], heads[index]?.version), duplicate: !own }
          : { ...result, duplicate: !own },
      )
    }
    writes.forEach((write, index) => refuse(write, heads[index]))
    return undefined
  }

  #retrying<T>(
    writes: readonly PreparedWrite[],
    run: (attempt: Attempt) => Promise<T>,
    resent = false,
  ): Promise<T> {
    const { driver, options } = this.#engine
    const gaveUp = (begun: number, error: unknown): void => {
      // what had been called before the last try went out waited for the same database, and would wait as long again
      this.#queue.rejectQueuedBefore(begun, (append) => unreachable(error, append.writes.flatMap(idsOf)))
    }
    return retrying({ driver, options, resent, eventIds: () => writes.flatMap(idsOf), gaveUp }, run)
  }

  async #settle(append: QueuedAppend, run: () => Promise<AppendResult[]>): Promise<void> {
    try {
      append.resolve(await run())
      this.#engine.appended?.()
    } catch (error) {
      append.reject(error)
    }
  }

  /** Whether an error would befall every other append too. */
  #concernsAll(error: unknown): boolean {
    const cause = isStoreUnavailableError(error) ? error.cause : error
    const { kind } = this.#engine.driver.classify(cause)
    return kind !== 'unique' && kind !== 'other'
  }
}

function resultsOf(
  writes: readonly PreparedWrite[],
  applied: readonly (Applied | undefined)[],
): AppendResult[] | undefined {
  const results: AppendResult[] = []
  for (const [index, write] of writes.entries()) {
    const place = applied[index]
    if (place === undefined) return undefined
    results.push(resultOf(write, place))
  }
  return results
}

/** Answers the group's appends when it was applied. */
function resolveGroup(group: AppendGroup, applied: Applied | undefined): boolean {
  if (applied === undefined) return false
  let from = 0
  for (const append of group.appends) {
    const [write] = append.writes
    if (write === undefined) continue
    append.resolve([resultOf(write, applied, from)])
    from += write.events.length
  }
  return true
}

function firstOf(results: readonly AppendResult[]): AppendResult {
  return results[0] as AppendResult
}

function idsOf(write: PreparedWrite): string[] {
  return write.events.map((event) => event.id)
}

function suppliesIds(writes: readonly PreparedWrite[]): boolean {
  return writes.some((write) => write.events.some((event) => !event.generatedId))
}

function checked(write: PreparedWrite | undefined, version: number | undefined): AppendResult {
  return { streamId: write?.streamId ?? '', version: version ?? 0, position: 0, events: [], duplicate: false }
}
