import type { EventDefinitions, NewEventOf } from '../aggregate/event-definitions.js'
import type { RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'
import { advance, type Advanced, type OutboxEntry, type ProcessInstance } from '../process/advance.js'
import { COMMAND_FAILED, correlationOf, TIMEOUT_FIRED } from '../process/process-events.js'
import type { CommandFailedData, TimeoutData } from '../process/process-events.js'
import type { CommandHandlers, EmittedEvent, Process, ProcessCommand } from '../process/process.js'
import { isAwaited } from './compared-events.js'
import { decisionOf, expectEqual, expectError, isExpectedError, outcomeOf } from './expectation.js'
import type { ExpectedError } from './expectation.js'
import { ScenarioLog } from './stored-events.js'

/** An event that a process reacts to; in a stream `'scenario'` when it does not say where. */
export type ProcessInput<Events extends EventDefinitions> = NewEventOf<Events> & {
  readonly streamId?: string
}

/** What a process is expected to make of an event. What is not named has not to happen; `state` is compared when named. */
export interface ExpectedReaction<State, Commands extends CommandHandlers, Timeouts extends string> {
  readonly state?: State
  readonly commands?: readonly ProcessCommand<Commands>[]
  readonly emit?: readonly EmittedEvent[]
  /** By name, with the time when they are due. */
  readonly timeouts?: Readonly<Partial<Record<Timeouts, Date>>>
  readonly cancel?: readonly Timeouts[]
  readonly complete?: boolean
}

/** A process with the events that it has handled. */
export class ProcessScenario<
  State,
  Events extends EventDefinitions,
  Commands extends CommandHandlers,
  Timeouts extends string,
> {
  readonly #process: Process<State, Events, Commands, Timeouts>
  readonly #past: readonly ProcessInput<Events>[]

  constructor(process: Process<State, Events, Commands, Timeouts>, past: readonly ProcessInput<Events>[]) {
    this.#process = process
    this.#past = past
  }

  /** An event that happens now. */
  when(event: ProcessInput<Events>): ReactionScenario<State, Commands, Timeouts> {
    return new ReactionScenario(async () => (await this.#after([...this.#past, event])).last)
  }

  /** A timeout that fires now, for the correlation of the last event. */
  whenTimeout(name: Timeouts): ReactionScenario<State, Commands, Timeouts> {
    return new ReactionScenario(async () => {
      const { instances, correlationId, timeouts, last } = await this.#after(this.#past)
      const known = correlationId === undefined ? undefined : instances.get(correlationId)
      const id = known?.pending[name]
      const pending = timeouts.find((timeout) => timeout.id === id)
      if (known === undefined || correlationId === undefined || pending === undefined || last === undefined) {
        throw new Error(
          `no timeout '${name}' waits; there are ${Object.keys(known?.pending ?? {}).join(', ') || 'none'}`,
        )
      }
      const { dueAt, data } = pending
      const fired: TimeoutData = {
        process: this.#process.name,
        correlationId,
        id: pending.id,
        name,
        dueAt: dueAt.toISOString(),
        data,
      }
      const event = {
        ...last.event,
        type: TIMEOUT_FIRED,
        data: fired as unknown as JsonValue,
        recordedAt: dueAt,
      }
      return { event, advanced: await advance(this.#process, known, correlationId, event) }
    })
  }

  /** A command of the last event's correlation that is given up now: the last of that name that was asked for. */
  whenGivenUp(
    name: keyof Commands & string,
    errorMessage: string,
  ): ReactionScenario<State, Commands, Timeouts> {
    return new ReactionScenario(async () => {
      const { instances, correlationId, outbox, last } = await this.#after(this.#past)
      const asked = outbox.filter(
        (entry) => entry.kind === 'command' && entry.correlationId === correlationId,
      )
      const entry = asked.findLast((one) => one.kind === 'command' && one.command === name)
      if (entry?.kind !== 'command' || correlationId === undefined || last === undefined) {
        throw new Error(`no command '${name}' was asked for`)
      }
      const attempts = this.#process.giveUpAfter(name)
      if (attempts === Infinity) throw new Error(`command '${name}' is never given up; say so in giveUp`)
      const { id: commandId, command, data } = entry
      const process = this.#process.name
      const failed: CommandFailedData = {
        process,
        correlationId,
        commandId,
        command,
        data,
        attempts,
        errorMessage,
      }
      const event = { ...last.event, type: COMMAND_FAILED, data: failed as unknown as JsonValue }
      return {
        event,
        advanced: await advance(this.#process, instances.get(correlationId), correlationId, event),
      }
    })
  }

  async #after(events: readonly ProcessInput<Events>[]) {
    const log = new ScenarioLog()
    const instances = new Map<string, ProcessInstance>()
    const timeouts: Advanced['timeouts'][number][] = []
    const outbox: (OutboxEntry & { readonly correlationId: string })[] = []
    let correlationId: string | undefined
    let last: Reacted | undefined
    for (const { streamId = 'scenario', ...given } of events) {
      await log.append(this.#process.events, streamId, 'stream', [given as unknown as NewEventOf<Events>])
      const event = log.read(streamId).at(-1)
      if (event === undefined) continue
      correlationId = await correlationOf(this.#process, event)
      const known = correlationId === undefined ? undefined : instances.get(correlationId)
      const advanced =
        correlationId === undefined ? undefined : await advance(this.#process, known, correlationId, event)
      last = { event, advanced }
      if (advanced === undefined || correlationId === undefined) continue
      instances.set(correlationId, advanced.instance)
      timeouts.push(...advanced.timeouts)
      for (const entry of advanced.outbox) outbox.push({ ...entry, correlationId })
    }
    return { instances, timeouts, outbox, correlationId, last }
  }
}

interface Reacted {
  readonly event: RecordedEvent
  readonly advanced: Advanced | undefined
}

/** What a process makes of an event. */
export class ReactionScenario<State, Commands extends CommandHandlers, Timeouts extends string> {
  readonly #react: () => Promise<Reacted | undefined>

  constructor(react: () => Promise<Reacted | undefined>) {
    this.#react = react
  }

  /** @throws AssertionError unless it is just this reaction (`{}`: none), or such an error. */
  // oxlint-disable-next-line unicorn/no-thenable -- the word that everybody knows; an await that forgets it is told so
  async then(
    expected: ExpectedReaction<State, Commands, Timeouts> | ExpectedError,
    reject?: never,
  ): Promise<void> {
    if (isAwaited(expected, reject)) return undefined
    const outcome = await outcomeOf(this.#react)
    if (isExpectedError(expected)) return expectError(outcome, expected)
    const actual = described(decisionOf(outcome)?.advanced)
    const { state, commands = [], emit = [], timeouts = {}, cancel = [], complete = false } = expected
    return expectEqual(
      'the reaction is not the one expected',
      { ...actual, state: state === undefined ? undefined : actual.state },
      {
        commands: [...commands],
        emit: [...emit],
        timeouts: { ...timeouts },
        cancel: complete ? actual.cancel : [...cancel],
        complete,
        state,
      },
    )
  }
}

function described(advanced: Advanced | undefined) {
  const outbox = advanced?.outbox ?? []
  return {
    commands: outbox.flatMap((entry) =>
      entry.kind === 'command' ? [{ command: entry.command, data: entry.data }] : [],
    ),
    emit: outbox.flatMap((entry) => {
      if (entry.kind !== 'event') return []
      const { streamId, streamType, event } = entry
      return [{ streamId, ...(streamType !== undefined && { streamType }), ...(event as object) }]
    }),
    timeouts: Object.fromEntries((advanced?.timeouts ?? []).map(({ name, dueAt }) => [name, dueAt])),
    cancel: [...(advanced?.cancelled ?? [])],
    complete: advanced?.instance.completed ?? false,
    state: advanced?.instance.state,
  }
}
