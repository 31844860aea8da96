import { newEvent, StoreUnavailableError } from '@varve/core'
import type {
  EventReader,
  EventStore,
  NewEvent,
  ReadAllOptions,
  RecordedEvent,
  StoreTransaction,
} from '@varve/core'
import { omit, readOf, replaced } from './wrap.js'

/**
 * Makes a store of one writer at a time behave like one that gives positions before the commit: what a transaction
 * appends is stored at once and hidden until the transaction ends, or for ever when it fails. Only so can a reader on this
 * engine skip anything.
 */
export class LateLog {
  /** Positions of events that are not decided, by their ids. */
  readonly undecided = new Map<string, { position: number; tenantId: string; since: number }>()
  readonly rolledBack = new Map<string, number>()

  hides({ id }: RecordedEvent): boolean {
    return this.undecided.has(id) || this.rolledBack.has(id)
  }
}

/** How a store keeps its readers from passing what is not decided; the faults are in here. */
export interface Guard {
  /** Everything up to here is decided, as far as this guard knows. */
  settled(log: LateLog, tenantId: string | undefined): number
  /** Whether this read is guarded at all. */
  covers(options: ReadAllOptions): boolean
  readonly onTimeout: 'throw' | 'end' | 'pass'
  readonly namesBlocker: boolean
  readonly unguarded: readonly ('first' | 'count' | 'settledPosition')[]
}

export const honest: Guard = {
  settled: (log) => Math.min(Infinity, ...[...log.undecided.values()].map(({ position }) => position - 1)),
  covers: () => true,
  onTimeout: 'throw',
  namesBlocker: true,
  unguarded: [],
}

/** The members of a store, or of its reader across tenants, that the log and the guard change. */
export function lateStore(
  store: EventStore,
  root: EventStore,
  log: LateLog,
  guard: Guard,
): Partial<EventStore> {
  return {
    ...lateReader(store, store.tenantId, log, guard),
    allTenants: () => replaced(store.allTenants(), lateReader(store.allTenants(), undefined, log, guard)),
    transaction: async (work) => {
      const own = new Map<string, number>()
      try {
        const value = await work(lateTransaction(store, root, log, own))
        for (const id of own.keys()) log.undecided.delete(id)
        return value
      } catch (error) {
        for (const [id, position] of own) {
          log.rolledBack.set(id, position)
          log.undecided.delete(id)
        }
        throw error
      }
    },
  }
}

function lateTransaction(
  store: EventStore,
  root: EventStore,
  log: LateLog,
  own: Map<string, number>,
): StoreTransaction {
  const { tenantId } = store
  const append: StoreTransaction['append'] = async (streamId, events: readonly NewEvent[], options) => {
    const known = events.map((event) => newEvent(event))
    const lower = (await root.allTenants().lastPosition()) + 1
    const hide = (id: string, position: number) =>
      log.undecided.set(id, { position, tenantId, since: Date.now() })
    for (const { id } of known) hide(id, lower)
    try {
      const result = await store.append(streamId, known, options)
      for (const { id, position } of result.events) {
        hide(id, position)
        own.set(id, position)
      }
      return result
    } catch (error) {
      for (const { id } of known) log.undecided.delete(id)
      throw error
    }
  }
  return {
    tenantId,
    client: undefined,
    append,
    appendMany: () => Promise.reject(new Error('not needed here')),
    readStream: (streamId, options) => store.readStream(streamId, options),
    getStream: (streamId) => store.getStream(streamId),
    getEvent: (id) => store.getEvent(id),
    snapshots: store.snapshots,
  }
}

function lateReader(
  reader: EventReader,
  tenantId: string | undefined,
  log: LateLog,
  guard: Guard,
): Partial<EventReader> {
  const visible = async (options: ReadAllOptions): Promise<RecordedEvent[]> => {
    const all = await reader.readAll(omit(options, 'limit')).toArray()
    return all.filter((event) => !log.hides(event)).slice(0, options.limit)
  }
  const guarded = async (options: ReadAllOptions): Promise<RecordedEvent[]> => {
    if (options.direction === 'backwards' || options.settled === false || !guard.covers(options))
      return visible(options)
    const high =
      (await visible({ ...(options.until !== undefined && { until: options.until }) })).at(-1)?.position ?? 0
    const deadline = Date.now() + (options.waitForSettledMs ?? 5_000)
    while (guard.settled(log, tenantId) < high) {
      if (Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 2))
      else if (guard.onTimeout === 'throw') throw unsettled(log, guard)
      else
        return visible({
          ...options,
          until: guard.onTimeout === 'pass' ? high : guard.settled(log, tenantId),
        })
    }
    return visible({ ...options, until: high })
  }
  const settledPosition = async (): Promise<number> => {
    const last = await reader.lastPosition()
    return guard.unguarded.includes('settledPosition') ? last : Math.min(guard.settled(log, tenantId), last)
  }
  return {
    settledPosition,
    readAll: (options = {}) => ({
      ...readOf(() => guarded(options)),
      ...(guard.unguarded.includes('first') && { first: async () => (await visible(options))[0] }),
      ...(guard.unguarded.includes('count') && { count: async () => (await visible(options)).length }),
    }),
  }
}

function unsettled(log: LateLog, guard: Guard): StoreUnavailableError {
  const [first] = log.undecided.values()
  const blocker = { pid: 1, ageMs: Date.now() - (first?.since ?? 0), detail: 'a transaction of this process' }
  return new StoreUnavailableError('not settled', guard.namesBlocker ? { blocker } : {})
}
