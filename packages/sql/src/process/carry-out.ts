import { TIMEOUT_FIRED } from '@varve/core'
import type { EventStore, JsonValue, NewEvent, AnyProcess, ProcessFailure, TimeoutData } from '@varve/core'
import { tell } from '../consume/run-context.js'
import { messageOf } from '../consume/task.js'
import type { Query } from '../read-access.js'
import type { OutboxRow, ProcessKey, ProcessTables, TimeoutRow } from './process-tables.js'

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
  const rows = (await tables.firstEntries(query, key, PAGE)).filter(({ isDue }) => isDue)
  const fired = await tables.timeouts(query, key, { due: true, limit: PAGE })
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
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
  return done
}

async function one(context: CarryOutContext, row: OutboxRow): Promise<boolean> {
  const { tables, query, key, process, onFailure } = context
  try {
    await execute(context, row)
  } catch (error) {
    const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** row.attempts)
    await tables.failed(query, key, row, messageOf(error), pauseMs)
    const command = row.entry.kind === 'command' ? { command: row.entry.command } : {}
    const label = { process: process.name, correlationId: row.correlationId, ...command }
    tell(onFailure, { ...label, attempt: row.attempts + 1, error })
    return false
  }
  await tables.done(query, key, row)
  return true
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
    await store.append(timeoutStream(process.name, correlationId), [event], { streamType: 'process' })
  } catch (error) {
    tell(onFailure, { process: process.name, correlationId, attempt: 1, error })
    return false
  }
  await tables.removeTimeout(query, key, timeout)
  return true
}

/** A correlation id may be as long as a stream id, and then there is no room for more: it is cut, as no one reads the stream. */
function timeoutStream(process: string, correlationId: string): string {
  const name = `process-${process}-${correlationId}`
  return Buffer.byteLength(name) <= 255 ? name : `process-${process}`
}
