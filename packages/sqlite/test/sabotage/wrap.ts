import type { EventRead, EventReader, EventStore, RecordedEvent, StoreTransaction } from '@varve/core'
import type { ConformanceHarness, OpenOptions } from '@varve/core/conformance'

type Breaks = (store: EventStore, root: EventStore) => Partial<EventStore>

/** A promise broken on purpose. */
export interface Fault {
  /** What the broken store does. */
  readonly name: string
  /** The topic of the suite whose cases have to catch it. */
  readonly caughtBy: string
  /** What of a handle behaves differently; asked once for each handle. */
  readonly breaks?: Breaks
  /** Makes `breaks` anew for each database, for faults that remember something. */
  readonly remembers?: () => Breaks
  /** What of the readers across tenants behaves differently. */
  readonly breaksReader?: (reader: EventReader) => Partial<EventReader>
  /** Statements of the store as the database gets them. */
  readonly rewrites?: (text: string) => string
  /** What becomes of the options with which a store is opened. */
  readonly opens?: (options: OpenOptions) => OpenOptions
}

/** The harness, with stores that have the fault. */
export function sabotaged(harness: ConformanceHarness, fault: Fault): ConformanceHarness {
  return {
    ...harness,
    async open(options = {}) {
      const opened = await harness.open(fault.opens?.(options) ?? options)
      const breaks = fault.remembers?.() ?? fault.breaks ?? (() => ({}))
      return {
        ...opened,
        store: broken(opened.store, fault, breaks),
        another: async () => broken(await opened.another(), fault, breaks),
      }
    },
  }
}

function broken(store: EventStore, fault: Fault, breaks: Breaks, root: EventStore = store): EventStore {
  return replaced(store, {
    forTenant: (tenantId) => broken(store.forTenant(tenantId), fault, breaks, root),
    allTenants: () => replaced(store.allTenants(), fault.breaksReader?.(store.allTenants()) ?? {}),
    ...breaks(store, root),
  })
}

/** The object with some of its members replaced. */
export function replaced<T extends object>(target: T, members: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const own: unknown = Reflect.get(name in members ? members : target, name)
      return typeof own === 'function' && !(name in members) ? (own.bind(target) as unknown) : own
    },
  })
}

/** The object without some of its members. */
export function omit<T extends object, Name extends keyof T>(
  from: T,
  ...names: readonly Name[]
): Omit<T, Name> {
  const copy = { ...from }
  for (const name of names) delete copy[name]
  return copy
}

/** Replaces members of the transactions that a store hands out. */
export function inTransactions(
  store: EventStore,
  members: (tx: StoreTransaction) => Partial<StoreTransaction>,
): Partial<EventStore> {
  return {
    transaction: (work, options) => store.transaction((tx) => work(replaced(tx, members(tx))), options),
    using: (client) => {
      const tx = store.using(client)
      return replaced(tx, members(tx))
    },
  }
}

/** A read whose events are what `load` gives. */
export function readOf(load: () => Promise<readonly RecordedEvent[]>): EventRead {
  return {
    toArray: async () => [...(await load())],
    first: async () => (await load())[0],
    last: async () => (await load()).at(-1),
    count: async () => (await load()).length,
    async *[Symbol.asyncIterator]() {
      yield* await load()
    },
  }
}

/** Every event that the store hands out is changed so; in results and in reads. */
export function changingEvents(
  store: EventStore,
  change: (event: RecordedEvent) => RecordedEvent,
): Partial<EventStore> {
  return {
    ...changingReads(store, (events) => events.map(change)),
    append: async (...call) => {
      const result = await store.append(...call)
      return { ...result, events: result.events.map(change) }
    },
    getEvent: async (id) => {
      const event = await store.getEvent(id)
      return event && change(event)
    },
  }
}

/** Every list of events that the store reads is changed so. */
export function changingReads(
  store: EventStore,
  change: (events: RecordedEvent[]) => RecordedEvent[],
): Partial<EventStore> {
  return {
    readAll: (options) => readOf(async () => change(await store.readAll(options).toArray())),
    readStream: (streamId, options) =>
      readOf(async () => change(await store.readStream(streamId, options).toArray())),
  }
}
