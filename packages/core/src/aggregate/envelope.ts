import { v5 } from 'uuid'
import { InvalidArgumentError } from '../errors.js'
import type { NewEvent } from '../event.js'

/** What all events of a command share, where an event does not say otherwise. */
export type Envelope = Pick<
  NewEvent,
  'metadata' | 'occurredAt' | 'correlationId' | 'causationId' | 'createdBy' | 'tags'
>

const NAMESPACE = '6b0f7c1e-52a4-4f0e-9d59-3f9e6f1f6a52'

/** The id of a command's n-th event, from 0: the same each time the command is handled. */
export function commandEventId(scope: readonly string[], commandId: string, index: number): string {
  return v5(JSON.stringify([...scope, commandId, index]), NAMESPACE)
}

/** Events with what they share, and with ids that a repeated command gives again. */
export function inEnvelope(
  events: readonly NewEvent[],
  envelope: Envelope | undefined,
  command: { readonly commandId: string; readonly idOf: (index: number) => string } | undefined,
): NewEvent[] {
  return events.map((event, index) => {
    if (command !== undefined && event.id !== undefined) {
      throw new InvalidArgumentError(
        `events[${index}].id`,
        'ids follow from the commandId, by which a repeated command is recognised; leave one of the two out',
      )
    }
    return {
      ...envelope,
      ...(command !== undefined && { causationId: command.commandId }),
      ...(envelope?.causationId !== undefined && { causationId: envelope.causationId }),
      ...present(event),
      ...(command !== undefined && { id: command.idOf(index) }),
    }
  })
}

/** An event's own `undefined` does not hide what all share. */
function present(event: NewEvent): NewEvent {
  return Object.fromEntries(
    Object.entries(event).filter(([, value]) => value !== undefined),
  ) as unknown as NewEvent
}
