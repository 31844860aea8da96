import { COMMAND_FAILED, derivedId, TIMEOUT_FIRED } from '@varve/core'
import type {
  CommandFailedData,
  EventStore,
  JsonValue,
  NewEvent,
  AnyProcess,
  ProcessFailure,
  TimeoutData,
} from '@varve/core'
import { tell } from '../consume/run-context.js'
import { messageOf } from '../consume/led-checkpoint.js'
import type { Query } from '../read-access.js'
import type { OutboxRow } from './process-outbox.js'
import type { ProcessKey, ProcessTables } from './process-tables.js'
import type { TimeoutRow } from './process-timeouts.js'

const AT_ONCE = 8
const PAGE = 100
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 60_000

export interface CarryOutContext {
  readonly process: AnyProcess
  readonly key: ProcessKey
  readonly tables: ProcessTables
  readonly store: EventStore
  readonly query: Query
  readonly onFailure: ((failure: ProcessFailure) => void) | undefined
  /** Whether this process of the operating system leads, and goes on. */
  readonly goesOn: () => boolean
}

/**
 * Carries out what is due: the first entry of each correlation, and timeouts. Doing one twice does no harm, as its id is the
 * same. Resolves to how many were done.
 */
export async function carryOut(context: CarryOutContext): Promise<number> {
  const { tables, query, key } = context
  const rows = await tables.outbox.due(query, key, PAGE)
  const fired = await tables.timeouts.due(query, key, PAGE)
  const work = [
    ...fired.map((timeout) => () => fire(context, timeout)),
    ...rows.map((row) => () => one(context, row)),
  ]
  let done = 0
  const worker = async (): Promise<void> => {
    for (let next = work.shift(); next !== undefined && context.goesOn(); next = work.shift()) {
      if (await next()) done += 1
    }
  }
  // when the database goes away under one, the others are still at it: nobody else is to begin with the same meanwhile
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return done
}

async function one(context: CarryOutContext, row: OutboxRow): Promise<boolean> {
  const { tables, query, key, process, onFailure } = context
  const command = row.entry.kind === 'command' ? row.entry.command : undefined
  const limit = command === undefined ? Infinity : process.giveUpAfter(command)
  const failed = (error: unknown): void => {
    const label = { process: process.name, correlationId: row.correlationId, ...(command && { command }) }
    tell(onFailure, { ...label, attempt: row.attempts + 1, error })
  }
  if (row.attempts >= limit) {
    // that it is given up was decided when its last try failed: it is not tried again, whatever happens from then on
    try {
      await giveUp(context, row)
    } catch (error) {
      failed(error)
      return false
    }
  } else {
    try {
      if (limit === Infinity || !(await wasGivenUp(context, row))) await execute(context, row)
    } catch (error) {
      const last = row.attempts + 1 >= limit
      const pauseMs = last ? 0 : Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** row.attempts)
      await tables.outbox.failed(query, key, row, messageOf(error), pauseMs)
      failed(error)
      return last
    }
  }
  await tables.outbox.done(query, key, row)
  return true
}

/** The event that says so goes through the log, as a timeout does. */
async function giveUp({ store, process }: CarryOutContext, row: OutboxRow): Promise<void> {
  const { entry, correlationId, attempts, errorMessage = '' } = row
  if (entry.kind !== 'command') return
  const { id: commandId, command, data } = entry
  const failed: CommandFailedData = {
    process: process.name,
    correlationId,
    commandId,
    command,
    data,
    attempts,
    errorMessage,
  }
  const event = { type: COMMAND_FAILED, data: failed as unknown as JsonValue, id: givenUpId(row) }
  await store.append(
    streamOf(process.name, correlationId),
    [{ ...event, correlationId, causationId: entry.causationId }],
    { streamType: 'process' },
  )
}

/** Whether it was given up before all was decided again (`rebuild`): then it stays so. */
async function wasGivenUp({ store }: CarryOutContext, row: OutboxRow): Promise<boolean> {
  return (await store.getEvent(givenUpId(row))) !== undefined
}

function givenUpId({ entry }: OutboxRow): string {
  return derivedId(entry.id, 'given up')
}

async function execute({ store, process }: CarryOutContext, row: OutboxRow): Promise<void> {
  const { entry, correlationId, attempts } = row
  const { id, causationId } = entry
  if (entry.kind === 'event') {
    const event = { correlationId, causationId, ...(entry.event as object), id } as unknown as NewEvent
    const { streamId, streamType } = entry
    await store.append(streamId, [event], streamType === undefined ? {} : { streamType })
    return
  }
  const command = process.commands[entry.command]
  if (command === undefined)
    throw new Error(`process '${process.name}' has no command '${entry.command}' any more`)
  await command(entry.data as never, {
    store,
    commandId: id,
    correlationId,
    causationId,
    attempt: attempts + 1,
  })
}

/** A timeout goes through the log: what the process makes of it counts once, as with every event. */
async function fire(
  { store, process, tables, query, key, onFailure }: CarryOutContext,
  timeout: TimeoutRow,
): Promise<boolean> {
  const { correlationId, id, name, dueAt, data } = timeout
  const fired: TimeoutData = {
    process: process.name,
    correlationId,
    id,
    name,
    dueAt: dueAt.toISOString(),
    data,
  }
  try {
    const event = { id, type: TIMEOUT_FIRED, data: fired as unknown as JsonValue, correlationId }
    await store.append(streamOf(process.name, correlationId), [event], { streamType: 'process' })
  } catch (error) {
    tell(onFailure, { process: process.name, correlationId, attempt: 1, error })
    return false
  }
  await tables.timeouts.fired(query, key, timeout)
  return true
}

/** A correlation id may be as long as a stream id, and then there is no room for more: it is cut, as no one reads the stream. */
function streamOf(process: string, correlationId: string): string {
  const name = `process-${process}-${correlationId}`
  return Buffer.byteLength(name) <= 255 ? name : `process-${process}`
}
