import type { Aggregate } from '../aggregate/aggregate.js'
import type { EventDefinitions, NewEventOf, UnknownEvents } from '../aggregate/event-definitions.js'
import { eventsOf } from '../aggregate/aggregate-repository.js'
import type { Decide } from '../aggregate/repository.js'
import { fold } from '../aggregate/stream-fold.js'
import type { NewEvent } from '../event.js'
import { comparable, isAwaited } from './compared-events.js'
import { decisionOf, expectEqual, expectError, isExpectedError, outcomeOf } from './expectation.js'
import type { ExpectedError, Outcome } from './expectation.js'
import { ScenarioLog } from './stored-events.js'

const STREAM = 'scenario'

/** An aggregate with its past. */
export class AggregateScenario<State, Events extends EventDefinitions, Unknown extends UnknownEvents> {
  readonly #aggregate: Aggregate<State, Events, Unknown>
  readonly #past: readonly NewEventOf<Events>[]

  constructor(aggregate: Aggregate<State, Events, Unknown>, past: readonly NewEventOf<Events>[]) {
    this.#aggregate = aggregate
    this.#past = past
  }

  /** What is decided on that past: the function that `handle` would be given. */
  when(decide: Decide<State, NewEventOf<Events>>): DecidedScenario<State, Events> {
    return new DecidedScenario(this.#aggregate, this.#past, decide)
  }

  /** @throws AssertionError unless the past comes to this state. */
  async thenState(expected: State): Promise<void> {
    const { state } = await stateAfter(this.#aggregate, [this.#past])
    expectEqual('the state is not the one expected', state, expected)
  }
}

/** An aggregate with its past and a decision. */
export class DecidedScenario<State, Events extends EventDefinitions> {
  readonly #aggregate: Aggregate<State, Events, UnknownEvents>
  readonly #past: readonly NewEventOf<Events>[]
  readonly #decide: Decide<State, NewEventOf<Events>>

  constructor(
    aggregate: Aggregate<State, Events, UnknownEvents>,
    past: readonly NewEventOf<Events>[],
    decide: Decide<State, NewEventOf<Events>>,
  ) {
    this.#aggregate = aggregate
    this.#past = past
    this.#decide = decide
  }

  /**
   * Compares types and data, and what else the expected events name.
   *
   * @throws AssertionError unless just these events were decided, or it was refused with such an error.
   */
  // oxlint-disable-next-line unicorn/no-thenable -- the word that everybody knows; an await that forgets it is told so
  async then(expected: readonly NewEventOf<Events>[] | ExpectedError, reject?: never): Promise<void> {
    if (isAwaited(expected, reject)) return undefined
    const outcome = await this.#outcome()
    if (isExpectedError(expected)) return expectError(outcome, expected)
    const compared = comparable(decisionOf(outcome).validated, expected)
    return expectEqual('the events are not those expected', compared.actual, compared.expected)
  }

  /** @throws AssertionError unless the past and the decided events come to this state. */
  async thenState(expected: State): Promise<void> {
    const { decided } = decisionOf(await this.#outcome())
    const { state } = await stateAfter(this.#aggregate, [this.#past, decided])
    expectEqual('the state is not the one expected', state, expected)
  }

  #outcome(): Promise<Outcome<{ decided: readonly NewEventOf<Events>[]; validated: readonly NewEvent[] }>> {
    return outcomeOf(async () => {
      const { state, version } = await stateAfter(this.#aggregate, [this.#past])
      const decided = eventsOf(await this.#decide(state, { streamId: STREAM, version, attempt: 1 }))
      return { decided, validated: await this.#aggregate.events.validate(decided) }
    })
  }
}

async function stateAfter<State, Events extends EventDefinitions>(
  aggregate: Aggregate<State, Events, UnknownEvents>,
  parts: readonly (readonly NewEventOf<Events>[])[],
) {
  const log = new ScenarioLog()
  for (const events of parts) await log.append(aggregate.events, STREAM, aggregate.type, events)
  return fold(aggregate, { state: aggregate.initial(), version: 0 }, log.read(STREAM))
}
