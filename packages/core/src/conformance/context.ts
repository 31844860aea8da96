import type { EventStore, StoreTransaction } from '../event-store.js'
import type { ConformanceHarness, OpenedStore, OpenOptions, ServerFaults } from './harness.js'
import { hold, type Hold } from './hold.js'

/** What a case gets. */
export interface CaseContext {
  /** A handle of a tenant of this case alone, on a database that it shares with the other cases of its topic. */
  readonly store: EventStore
  /** The shared database itself. */
  readonly opened: OpenedStore
  /** A second store on the shared database, as of another process, for the same tenant as `store`. */
  readonly another: () => Promise<EventStore>
  /** A database of this case alone. */
  readonly fresh: (options?: OpenOptions) => Promise<OpenedStore>
  /** Runs `body` in a transaction and holds that open; rolled back when the case leaves it open. */
  readonly hold: <T>(store: EventStore, body: (tx: StoreTransaction) => Promise<T>) => Hold<T>
  /** Registers what is to be undone after the case. */
  readonly defer: (undo: () => Promise<unknown>) => void
  readonly faults: ServerFaults
}

/** A harness's store whose `another` stores are closed with it, one of them kept for the cases that share it. */
export class SharedStore {
  readonly opened: OpenedStore
  readonly #others: Promise<EventStore>[] = []
  #second: Promise<EventStore> | undefined

  constructor(opened: OpenedStore) {
    this.opened = {
      store: opened.store,
      forbidden: opened.forbidden,
      sql: (text) => opened.sql(text),
      tamper: (text) => opened.tamper(text),
      query: (client, text) => opened.query(client, text),
      table: (name) => opened.table(name),
      begin: () => opened.begin(),
      another: () => {
        const other = opened.another()
        this.#others.push(other)
        return other
      },
      dispose: () => this.dispose(opened),
    }
  }

  second(): Promise<EventStore> {
    this.#second ??= this.opened.another()
    return this.#second
  }

  async dispose(opened: OpenedStore): Promise<void> {
    await Promise.allSettled(this.#others.map(async (other) => (await other).close()))
    await opened.dispose()
  }
}

/** Builds the context of one case; `end` undoes, last first, all that the case left behind. */
export function caseContext(
  harness: ConformanceHarness,
  shared: SharedStore,
  tenantId: string,
): { context: CaseContext; end: () => Promise<void> } {
  const undo: (() => Promise<unknown>)[] = []
  const context: CaseContext = {
    store: shared.opened.store.forTenant(tenantId),
    opened: shared.opened,
    another: async () => (await shared.second()).forTenant(tenantId),
    async fresh(options) {
      const { opened } = new SharedStore(await harness.open(options))
      undo.push(() => opened.dispose())
      return opened
    },
    hold(store, body) {
      const held = hold(store, body)
      undo.push(() => held.abandon())
      return held
    },
    defer: (step) => void undo.push(step),
    get faults() {
      if (harness.faults === undefined) throw new Error(`The harness '${harness.name}' brings no faults.`)
      return harness.faults
    },
  }
  return {
    context,
    async end() {
      for (const step of undo.toReversed()) await step()
    },
  }
}
