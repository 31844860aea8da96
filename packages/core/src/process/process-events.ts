import type { RecordedEvent } from '../event.js'
import type { JsonValue } from '../json.js'
import { requiredName } from '../option-values.js'
import type { AnyProcess } from './process.js'

// what befalls a process goes through the log, so that it counts once, as all events do

/** The type of the events by which timeouts fire. */
export const TIMEOUT_FIRED = 'process.timeout_fired'
/** The type of the events that say that a command was given up. */
export const COMMAND_FAILED = 'process.command_failed'

interface Addressed {
  readonly process: string
  readonly correlationId: string
}

/** What `TIMEOUT_FIRED` says. */
export interface TimeoutData extends Addressed {
  readonly id: string
  readonly name: string
  readonly dueAt: string
  readonly data: JsonValue
}

/** What `COMMAND_FAILED` says. */
export interface CommandFailedData extends Addressed {
  readonly commandId: string
  readonly command: string
  readonly data: JsonValue
  readonly attempts: number
  readonly errorMessage: string
}

/** Which correlation an event concerns. */
export async function correlationOf(process: AnyProcess, event: RecordedEvent): Promise<string | undefined> {
  if (event.type === TIMEOUT_FIRED || event.type === COMMAND_FAILED) {
    const { process: name, correlationId } = event.data as unknown as Addressed
    return name === process.name ? correlationId : undefined
  }
  const decoded = await process.decode(event)
  const found = decoded === undefined ? undefined : process.correlate(decoded as never)
  return found === undefined ? undefined : requiredName(found, 'correlate')
}
