import type { Aggregate } from '../aggregate/aggregate.js'
import type { CommandType } from '../aggregate/command.js'
import type { EventDefinitions, NewEventOf, UnknownEvents } from '../aggregate/event-definitions.js'
import type { EventStore } from '../event-store.js'
import type { CommandHandlers, Process } from '../process/process.js'
import type { Projection } from '../projection/projection.js'
import { AggregateScenario } from './given-aggregate.js'
import { CommandScenario, type EventsByStream } from './given-command.js'
import { ProcessScenario, type ProcessInput } from './given-process.js'
import { ProjectionScenario } from './given-projection.js'

export type { ExpectedError } from './expectation.js'
export type { AggregateScenario, DecidedScenario } from './given-aggregate.js'
export type { CommandScenario, EventsByStream, ExecutedScenario } from './given-command.js'
export type { ExpectedReaction, ProcessInput, ProcessScenario, ReactionScenario } from './given-process.js'
export type { ProjectedScenario, ProjectionScenario } from './given-projection.js'

/**
 * A test of what is decided on a given past, without a store (but for projections), for any test runner: given events, when something is to be
 * decided, then these events, or this error.
 *
 * @param subject an aggregate or a process, whose past is a list of events; a command, whose past is one by stream; or a
 * projection, with a store to run it in
 *
 * @example
 * ```ts
 * import { defineAggregate, eventData } from '@varve/core'
 * import { given } from '@varve/core/testing'
 * import { test } from 'node:test'
 *
 * const account = defineAggregate({
 *   type: 'account',
 *   events: { 'money.deposited': eventData<{ cents: number }>(), 'money.withdrawn': eventData<{ cents: number }>() },
 *   initialState: 0,
 *   evolve: (cents, { type, data }) => (type === 'money.deposited' ? cents + data.cents : cents - data.cents),
 * })
 *
 * const withdraw = (cents: number) => (balance: number) => {
 *   if (cents > balance) throw new Error('insufficient funds')
 *   return { type: 'money.withdrawn', data: { cents } } as const
 * }
 *
 * test('money that is there can be withdrawn', () =>
 *   given(account, [{ type: 'money.deposited', data: { cents: 10 } }])
 *     .when(withdraw(4))
 *     .then([{ type: 'money.withdrawn', data: { cents: 4 } }]))
 *
 * test('money that is not there cannot', () => given(account).when(withdraw(4)).then(new Error('insufficient funds')))
 * ```
 */
export function given<State, Events extends EventDefinitions, Unknown extends UnknownEvents>(
  subject: Aggregate<State, Events, Unknown>,
  past?: readonly NewEventOf<Events>[],
): AggregateScenario<State, Events, Unknown>
export function given<Command, State, Events extends EventDefinitions, Unknown extends UnknownEvents>(
  subject: CommandType<Command, State, Events, Unknown>,
  past?: EventsByStream<Events>,
): CommandScenario<Command, State, Events, Unknown>
export function given<
  State,
  Events extends EventDefinitions,
  Commands extends CommandHandlers,
  Timeouts extends string,
>(
  subject: Process<State, Events, Commands, Timeouts>,
  past?: readonly ProcessInput<Events>[],
): ProcessScenario<State, Events, Commands, Timeouts>
export function given<Client>(
  subject: Projection<Client>,
  store: EventStore<Client>,
): ProjectionScenario<Client>
export function given(
  subject: object,
  past: unknown = [],
):
  | AggregateScenario<unknown, EventDefinitions, UnknownEvents>
  | CommandScenario<unknown, unknown, EventDefinitions, UnknownEvents>
  | ProcessScenario<unknown, EventDefinitions, CommandHandlers, string>
  | ProjectionScenario<unknown> {
  const list = past as []
  if ('onError' in subject) return new ProjectionScenario(subject as Projection, past as EventStore)
  if ('decide' in subject)
    return new CommandScenario(subject as never, past as EventsByStream<EventDefinitions>)
  if ('correlate' in subject) return new ProcessScenario(subject as never, list)
  return new AggregateScenario(subject as never, list)
}
