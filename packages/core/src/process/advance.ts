import { InvalidArgumentError } from '../errors.js'
import type { RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'
import { requiredName } from '../option-values.js'
import { derivedId } from './derived-id.js'
import { asJson } from './as-json.js'
import { checkedReaction } from './reaction.js'
import { COMMAND_FAILED, TIMEOUT_FIRED, type CommandFailedData, type TimeoutData } from './process-events.js'
import type { AnyProcess, AnyReaction, FiredTimeout, GivenUpCommand } from './process.js'

/** What is known of one correlation. */
export interface ProcessInstance {
  readonly state: JsonValue
  /** The ids of the timeouts that may still fire, by name. */
  readonly pending: Readonly<Record<string, string>>
  readonly completed: boolean
}

/** Something that a process asked for, to be done once. */
export type OutboxEntry = { readonly id: string; readonly causationId: string } & (
  | {
      readonly kind: 'event'
      readonly streamId: string
      readonly streamType?: string
      readonly event: JsonValue
    }
  | { readonly kind: 'command'; readonly command: string; readonly data: JsonValue }
)

export interface PendingTimeout {
  readonly id: string
  readonly name: string
  readonly dueAt: Date
  readonly data: JsonValue
}

/** What follows from one event. */
export interface Advanced {
  readonly instance: ProcessInstance
  readonly outbox: readonly OutboxEntry[]
  readonly timeouts: readonly PendingTimeout[]
  /** Names; all there are, when the correlation is completed. */
  readonly cancelled: readonly string[]
}

/** What a process makes of an event, on what it knows; `undefined` when that is nothing. */
export async function advance(
  process: AnyProcess,
  known: ProcessInstance | undefined,
  correlationId: string,
  event: RecordedEvent,
): Promise<Advanced | undefined> {
  if (known?.completed === true) return undefined
  const before: ProcessInstance =
    known === undefined
      ? { state: process.initial() as JsonValue, pending: {}, completed: false }
      : { ...known, state: process.upgrade(known.state) as JsonValue }
  const context = { correlationId, recordedAt: event.recordedAt }
  if (event.type === TIMEOUT_FIRED) {
    const { id, name, dueAt, data } = event.data as unknown as TimeoutData
    // it was cancelled, or set anew, while it was on its way
    if (before.pending[name] !== id) return undefined
    const { [name]: _, ...pending } = before.pending
    const fired: FiredTimeout = { name, dueAt: new Date(dueAt), data }
    return applied(
      process,
      { ...before, pending },
      process.fire(before.state as never, fired, context),
      event,
    )
  }
  if (event.type === COMMAND_FAILED) {
    const { command, data, attempts, errorMessage } = event.data as unknown as CommandFailedData
    const failed: GivenUpCommand = { command, data, attempts, errorMessage }
    return applied(process, before, process.givenUp(before.state as never, failed, context), event)
  }
  const decoded = await process.decode(event)
  if (decoded === undefined) return undefined
  const reaction = process.handle(before.state as never, decoded as never, context)
  return reaction === undefined ? undefined : applied(process, before, reaction, event)
}

function applied(
  process: AnyProcess,
  before: ProcessInstance,
  reaction: AnyReaction | undefined,
  event: RecordedEvent,
): Advanced {
  const {
    state,
    emit = [],
    commands = [],
    timeouts = [],
    cancel = [],
    complete = false,
  } = checkedReaction(reaction)
  // the same ids each time, should the event be handled again
  const idOf = (what: string): string => derivedId(process.name, event.id, what)
  const outbox = [
    ...emit.map(({ streamId, streamType, ...one }, index): OutboxEntry => ({
      kind: 'event',
      id: idOf(`event ${index}`),
      causationId: event.id,
      streamId: requiredName(streamId, `emit[${index}].streamId`),
      ...(streamType !== undefined && { streamType }),
      event: asJson(one, `emit[${index}]`),
    })),
    ...commands.map(({ command, data }, index): OutboxEntry => {
      if (!(command in process.commands)) {
        throw new InvalidArgumentError(
          `commands[${index}]`,
          `process '${process.name}' has no command '${command}'`,
        )
      }
      return {
        kind: 'command',
        id: idOf(`command ${index}`),
        causationId: event.id,
        command,
        data: asJson(data, `commands[${index}].data`),
      }
    }),
  ]
  const requested = timeouts.map(({ name, at, afterMs, data }, index): PendingTimeout => {
    if (!process.timeouts.includes(name)) {
      throw new InvalidArgumentError(
        `timeouts[${index}]`,
        `process '${process.name}' has no timeout '${name}'`,
      )
    }
    if ((at === undefined) === (afterMs === undefined)) {
      throw new InvalidArgumentError(`timeouts[${index}]`, 'has either at or afterMs')
    }
    const dueAt = at ?? new Date(event.recordedAt.getTime() + (afterMs ?? 0))
    if (Number.isNaN(dueAt.getTime()))
      throw new InvalidArgumentError(`timeouts[${index}]`, 'its time is no time')
    return {
      id: idOf(`timeout ${index}`),
      name,
      dueAt,
      data: asJson(data ?? null, `timeouts[${index}].data`),
    }
  })
  const pending = Object.fromEntries(
    Object.entries(before.pending).filter(([name]) => !cancel.includes(name)),
  )
  for (const { name, id } of requested) pending[name] = id
  return {
    instance: {
      state: asJson(state === undefined ? before.state : state, 'state'),
      pending: complete ? {} : pending,
      completed: complete,
    },
    outbox,
    timeouts: complete ? [] : requested,
    cancelled: complete ? Object.keys({ ...before.pending, ...pending }) : cancel,
  }
}
