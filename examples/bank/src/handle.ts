import { isConcurrencyError, isDuplicateEventError } from '@varve/core'
import type { EventStore, RecordedEvent, StreamWrite } from '@varve/core'
import { type Account, evolve, noAccount } from './account.ts'
import { type Command, streamsOf } from './command.ts'
import { type Decision, decide } from './decide.ts'
import type { ImportedEvent, Line } from './input.ts'

export interface Outcome {
  readonly line: Line
  /** Whether an earlier run had stored it. */
  readonly known: boolean
  /** Why the command was refused, if it was. */
  readonly refused?: string
}

const MAX_ATTEMPTS = 10

/** Handles one line of the input. Doing it again, or in several processes at once, changes nothing. */
export function handle(store: EventStore, line: Line): Promise<Outcome> {
  return 'event' in line ? importEvent(store, line) : execute(store, line)
}

async function importEvent(store: EventStore, line: ImportedEvent): Promise<Outcome> {
  const { event: type, id, streamId, streamType, version, occurredAt, data, metadata } = line
  const { correlationId, userId: createdBy } = metadata
  const { duplicate } = await store.append(
    streamId,
    [{ id, type, data, metadata, occurredAt, correlationId, createdBy }],
    { expectedVersion: version - 1, streamType },
  )
  return { line, known: duplicate }
}

async function execute(store: EventStore, command: Command): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    // before deciding: what was decided must not be decided again on a state that has moved on
    const stored = await store.getEvent(command.id)
    if (stored !== undefined) return outcomeOf(command, stored)

    const accounts = new Map<string, Account>()
    for (const streamId of streamsOf(command)) accounts.set(streamId, await load(store, streamId))
    const decision = decide(command, (streamId) => accounts.get(streamId) ?? noAccount)
    try {
      const [first] = await store.appendMany(writesFor(command, accounts, decision))
      const known = first?.duplicate ?? false
      return { line: command, known, ...('refused' in decision && { refused: decision.refused }) }
    } catch (error) {
      // somebody else was quicker: with one of the streams, or with this very command
      const again = isConcurrencyError(error) || isDuplicateEventError(error)
      if (!again || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

export async function load(store: EventStore, streamId: string): Promise<Account> {
  let account = noAccount
  for await (const event of store.readStream(streamId)) account = evolve(account, event)
  return account
}

/** Every account that the decision rests on is checked, also those that it leaves alone. */
function writesFor(
  command: Command,
  accounts: ReadonlyMap<string, Account>,
  decision: Decision,
): StreamWrite[] {
  const { id, at: occurredAt, correlationId, userId: createdBy } = command
  const metadata = { correlationId, userId: createdBy, source: 'banking-service' }
  const envelope = { occurredAt, correlationId, createdBy, metadata }
  const decided = 'events' in decision ? decision.events : []

  const writes: StreamWrite[] = [...accounts].map(([streamId, { version }]) => {
    const events = decided
      .filter((fact) => fact.streamId === streamId)
      .map((fact) => ({ ...envelope, ...fact.event, id: fact.id, ...tagsOf(command) }))
    return { streamId, events, expectedVersion: version, ...(events.length > 0 && { streamType: 'Account' }) }
  })
  if ('refused' in decision) {
    const data = { command: command.command, account: command.account, reason: decision.refused }
    writes.push({
      streamId: `refusal-${id}`,
      streamType: 'Refusal',
      expectedVersion: 'no-stream',
      events: [{ ...envelope, id, type: 'command.refused', data }],
    })
  }
  return writes
}

function tagsOf(command: Command) {
  return command.command === 'transfer' ? { tags: [`transfer:${command.reference}`] } : {}
}

function outcomeOf(line: Command, event: RecordedEvent): Outcome {
  if (event.type !== 'command.refused') return { line, known: true }
  const { reason } = event.data as { reason: string }
  return { line, known: true, refused: reason }
}
