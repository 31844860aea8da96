import type { EventStore } from '../event-store.js'
import type { NewEvent } from '../event.js'
import type { Projection } from '../projection/projection.js'
import { isAwaited } from './compared-events.js'
import { expectEqual } from './expectation.js'

/** A projection with the store that it is tested in, such as one of `@varve/sqlite` in memory. */
export class ProjectionScenario<Client> {
  readonly #projection: Projection<Client>
  readonly #store: EventStore<Client>

  constructor(projection: Projection<Client>, store: EventStore<Client>) {
    this.#projection = projection
    this.#store = store
  }

  /** Events by stream, appended one after the other. */
  when(events: Readonly<Record<string, readonly NewEvent<string, unknown>[]>>): ProjectedScenario<Client> {
    return new ProjectedScenario(async () => {
      for (const [streamId, list] of Object.entries(events)) {
        if (list.length > 0) await this.#store.append(streamId, list as readonly NewEvent[])
      }
      await using runner = this.#store.projections.run([this.#projection])
      await runner.caughtUp()
      return this.#store
    })
  }
}

/** A projection with what it has read. */
export class ProjectedScenario<Client> {
  readonly #project: () => Promise<EventStore<Client>>

  constructor(project: () => Promise<EventStore<Client>>) {
    this.#project = project
  }

  /**
   * Compares what is in the model with what is expected to be.
   *
   * @param read asks the model, with the driver's own client
   * @throws AssertionError unless both are deeply equal; what the projection faulted with.
   */
  // oxlint-disable-next-line unicorn/no-thenable -- the word that everybody knows; an await that forgets it is told so
  async then<Found>(
    read: (client: Client) => Found | Promise<Found>,
    expected: NoInfer<Found>,
  ): Promise<void> {
    if (isAwaited(read, expected)) return
    const store = await this.#project()
    const found = await store.transaction(async (tx) => read(tx.client))
    expectEqual('the model is not the one expected', found, expected)
  }
}
