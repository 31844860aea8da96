import type { EventDefinitions, RecordedEventOf } from '../aggregate/event-definitions.js'
import type { EventCatalog, EventSource } from '../aggregate/event-catalog.js'
import type { Upcaster } from '../aggregate/upcaster.js'
import type { EventStore } from '../event-store.js'
import type { NewEvent, RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'

/** What somebody who carries out a command is told. */
export interface CommandExecution {
  /** A handle of the process's tenant. */
  readonly store: EventStore
  /** The same each time the command is carried out: hand it on to `handle` or `executeCommand`, which then happen once. */
  readonly commandId: string
  readonly correlationId: string
  /** Of the event that led to it. */
  readonly causationId: string
  /** 1 for the first try. */
  readonly attempt: number
}

/** Who carries out the commands of a process, by name, each with the data that it takes. */
export type CommandHandlers = {
  readonly [command: string]: (data: never, execution: CommandExecution) => unknown
}

/** A command of a process, with the data that its handler takes. */
export type ProcessCommand<Commands extends CommandHandlers> = {
  [Name in keyof Commands & string]: { readonly command: Name; readonly data: Parameters<Commands[Name]>[0] }
}[keyof Commands & string]

/** An event that a process appends, with the stream that it goes to. */
export interface EmittedEvent extends Omit<NewEvent<string, unknown>, 'id' | 'occurredAt'> {
  readonly streamId: string
  readonly streamType?: string | undefined
}

/** Asks to be told at a time. One that is set again under the same name takes the place of the earlier one. */
export interface RequestedTimeout<Name extends string> {
  readonly name: Name
  /** By the database's clock; a time that is over is due at once. */
  readonly at?: Date | undefined
  /** Milliseconds after the event that is reacted to was recorded. */
  readonly afterMs?: number | undefined
  readonly data?: JsonValue | undefined
}

/** What a process makes of an event. */
export interface Reaction<State, Commands extends CommandHandlers, Timeouts extends string> {
  /** As it was, when absent. */
  readonly state?: State | undefined
  /** Events to append, one by one in this order, before the commands. */
  readonly emit?: readonly EmittedEvent[] | undefined
  /** Carried out one after the other, in the order of all that this correlation has asked for. */
  readonly commands?: readonly ProcessCommand<Commands>[] | undefined
  readonly timeouts?: readonly RequestedTimeout<Timeouts>[] | undefined
  /** Timeouts that are not wanted any more, by name; `complete` cancels all. */
  readonly cancel?: readonly Timeouts[] | undefined
  /** Nothing that comes later concerns this correlation. */
  readonly complete?: boolean | undefined
}

type Reacted<State, Commands extends CommandHandlers, Timeouts extends string> =
  | Reaction<State, Commands, Timeouts>
  | undefined

export interface ReactionContext {
  readonly correlationId: string
  /** When the event was recorded. */
  readonly recordedAt: Date
}

/** A timeout that has fired. */
export interface FiredTimeout {
  readonly name: string
  readonly dueAt: Date
  readonly data: JsonValue
}

/** A command that was given up. */
export interface GivenUpCommand<Data = JsonValue> {
  readonly command: string
  readonly data: Data
  readonly attempts: number
  /** Of the last try. */
  readonly errorMessage: string
}

/** When a command is given up, and what follows from it. */
export interface GiveUp<State, Data, React> {
  /** So many tries, the first one included. */
  readonly afterAttempts: number
  readonly handle: (state: State, failed: GivenUpCommand<Data>, context: ReactionContext) => React
}

export interface ProcessDefinition<
  State,
  Events extends EventDefinitions,
  Commands extends CommandHandlers,
  Timeouts extends string,
> {
  /** Letters, digits, `_`, `-` and `.`, at most 90. What it knows is kept under this name. */
  name: string
  /** The events that it reacts to, each with the schema of its data; or a catalog of them. */
  events: EventSource<Events>
  upcasters?: readonly Upcaster[] | undefined
  /** Which of the many that run at once an event concerns: 1–255 UTF-8 bytes, or `undefined` for none. */
  correlate: (event: RecordedEventOf<Events>) => string | undefined
  /** JSON only. A function is called for each correlation. */
  initialState: State | (() => State)
  /**
   * Brings a state that was stored, whenever that was, to the shape that `handles` expect; as it is when absent. What it throws
   * makes the process `faulted`.
   */
  upgrade?: ((stored: JsonValue) => NoInfer<State>) | undefined
  /**
   * Who carries out its commands. What fails is tried again, with pauses that grow to a minute, for ever unless `giveUp` says
   * otherwise, and keeps later ones of the same correlation waiting.
   */
  commands?: Commands | undefined
  /** By event type. They decide, and do nothing else: no clock, no database, no network. */
  handles: {
    readonly [Type in keyof Events & string]?: (
      state: State,
      event: Extract<RecordedEventOf<Events>, { readonly type: Type }>,
      context: ReactionContext,
    ) => Reacted<NoInfer<State>, NoInfer<Commands>, NoInfer<Timeouts>>
  }
  /** By the name of the timeout, at most 100 characters. */
  timeouts?:
    | {
        readonly [Name in Timeouts]: (
          state: NoInfer<State>,
          timeout: FiredTimeout,
          context: ReactionContext,
        ) => Reacted<NoInfer<State>, NoInfer<Commands>, string>
      }
    | undefined
  /** By the name of a command: after how many tries it is given up, and what the process makes of that. */
  giveUp?:
    | {
        readonly [Name in keyof Commands & string]?: GiveUp<
          NoInfer<State>,
          Parameters<Commands[Name]>[0],
          Reacted<NoInfer<State>, NoInfer<Commands>, NoInfer<Timeouts>>
        >
      }
    | undefined
}

/** A reaction of whatever process. */
export interface AnyReaction extends Omit<Reaction<unknown, CommandHandlers, string>, 'commands'> {
  readonly commands?: readonly { readonly command: string; readonly data: unknown }[] | undefined
}

/** A process, whatever it is about: what a runner needs of it. */
export interface AnyProcess {
  readonly name: string
  /** Of the events that it has handlers for. */
  readonly types: readonly string[]
  /** The names of the timeouts that it has handlers for. */
  readonly timeouts: readonly string[]
  readonly commands: Readonly<Record<string, (data: never, execution: CommandExecution) => unknown>>
  initial(): unknown
  /** A state that was stored, in its newest shape. */
  upgrade(stored: JsonValue): unknown
  /** After how many tries a command is given up. */
  giveUpAfter(command: string): number
  /** An event in its newest version; may be a promise. */
  decode(event: RecordedEvent): unknown
  correlate(event: never): string | undefined
  handle(state: never, event: never, context: ReactionContext): AnyReaction | undefined
  /** `undefined` also for a timeout that it does not know any more. */
  fire(state: never, timeout: FiredTimeout, context: ReactionContext): AnyReaction | undefined
  /** `undefined` also for a command that it does not give up any more. */
  givenUp(state: never, failed: GivenUpCommand, context: ReactionContext): AnyReaction | undefined
}

/** A process that was checked by `defineProcess`. */
export interface Process<
  State,
  Events extends EventDefinitions,
  Commands extends CommandHandlers,
  Timeouts extends string,
> extends AnyProcess {
  readonly events: EventCatalog<Events>
  initial(): State
  correlate(event: RecordedEventOf<Events>): string | undefined
  handle(
    state: State,
    event: RecordedEventOf<Events>,
    context: ReactionContext,
  ): Reaction<State, Commands, Timeouts> | undefined
  fire(
    state: State,
    timeout: FiredTimeout,
    context: ReactionContext,
  ): Reaction<State, Commands, Timeouts> | undefined
}
