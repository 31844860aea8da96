import type { CommandType } from '../aggregate/command.js'
import type { EventDefinitions, NewEventOf, UnknownEvents } from '../aggregate/event-definitions.js'
import { eventsByStream } from '../aggregate/execute-command.js'
import { gather } from '../aggregate/gather.js'
import type { NewEvent } from '../event.js'
import { comparable, isAwaited } from './compared-events.js'
import { decisionOf, expectEqual, expectError, isExpectedError, outcomeOf } from './expectation.js'
import type { ExpectedError } from './expectation.js'
import { ScenarioLog } from './stored-events.js'

/** Events by stream. */
export type EventsByStream<Events extends EventDefinitions> = Readonly<
  Record<string, readonly NewEventOf<Events>[]>
>

/** A command with the past of its streams. */
export class CommandScenario<Command, State, Events extends EventDefinitions, Unknown extends UnknownEvents> {
  readonly #type: CommandType<Command, State, Events, Unknown>
  readonly #past: EventsByStream<Events>

  constructor(type: CommandType<Command, State, Events, Unknown>, past: EventsByStream<Events>) {
    this.#type = type
    this.#past = past
  }

  when(command: Command): ExecutedScenario<Events> {
    const [type, past] = [this.#type, this.#past]
    return new ExecutedScenario<Events>(async () => {
      const log = new ScenarioLog()
      for (const [streamId, events] of Object.entries(past))
        await log.append(type.events, streamId, 'stream', events)
      const gathered = await gather({ readStream: (streamId) => log.read(streamId) }, type, command)
      const versions = new Map([...gathered.streams].map(([streamId, { version }]) => [streamId, version]))
      const decided = await type.decide(command, gathered.state, { attempt: 1, versions })
      const writes = await eventsByStream(type, gathered, decided)
      return new Map([...writes].map(([streamId, { events }]) => [streamId, events]))
    })
  }
}

/** A command with the past of its streams, decided. */
export class ExecutedScenario<Events extends EventDefinitions> {
  readonly #decide: () => Promise<ReadonlyMap<string, readonly NewEvent[]>>

  constructor(decide: () => Promise<ReadonlyMap<string, readonly NewEvent[]>>) {
    this.#decide = decide
  }

  /**
   * Compares types and data, and what else the expected events name. Streams without events need not be named.
   *
   * @throws AssertionError unless just this was written, or it was refused with such an error.
   */
  // oxlint-disable-next-line unicorn/no-thenable -- the word that everybody knows; an await that forgets it is told so
  async then(expected: EventsByStream<Events> | ExpectedError, reject?: never): Promise<void> {
    if (isAwaited(expected, reject)) return undefined
    const outcome = await outcomeOf(this.#decide)
    if (isExpectedError(expected)) return expectError(outcome, expected)
    const written = decisionOf(outcome)
    const [actual, wanted]: Record<string, unknown>[] = [{}, {}]
    for (const streamId of new Set([...Object.keys(expected), ...written.keys()])) {
      const compared = comparable(written.get(streamId) ?? [], expected[streamId] ?? [])
      if (compared.actual.length > 0 && actual !== undefined) actual[streamId] = compared.actual
      if (compared.expected.length > 0 && wanted !== undefined) wanted[streamId] = compared.expected
    }
    return expectEqual('the events are not those expected', actual, wanted)
  }
}
