import { createRepository, isTenantMismatchError } from '@varve/core'
import type { EventStore } from '@varve/core'
import type { Refusal } from './expected.ts'
import type { Line } from './input.ts'
import { adjust, create, item, ZeroDeltaError } from './item.ts'

export const SNAPSHOTS = { every: 100, keep: 5 }

export const itemsOf = (store: EventStore) => createRepository(store, item, { snapshots: SNAPSHOTS })

export interface Outcome {
  readonly id: string
  /** Whether an earlier run had stored it. */
  readonly known: boolean
  readonly refused?: Refusal
}

/** Handles one line of the input. Doing it again, or in several processes at once, changes nothing. */
export async function handle(store: EventStore, line: Line): Promise<Outcome> {
  const { id, at, via, tenant, item: itemId } = line
  try {
    // what a caller of `via` can reach; asked for another tenant, the handle refuses
    const items = itemsOf(store.forTenant(via).forTenant(tenant))
    const decide = line.do === 'create' ? create(line.name) : adjust(line.delta, line.reason)
    const { events, duplicate } = await items.handle(itemId, decide, {
      commandId: id,
      envelope: { occurredAt: new Date(at), createdBy: via },
    })
    const rejected = events.some(({ type }) => type === 'inventory.item.adjustment_rejected')
    return { id, known: duplicate, ...(rejected && { refused: 'not enough stock' }) }
  } catch (error) {
    if (error instanceof ZeroDeltaError) return { id, known: false, refused: 'zero delta' }
    if (isTenantMismatchError(error)) return { id, known: false, refused: 'wrong tenant' }
    throw error
  }
}

/** All lines: those of one item in their order, the items side by side. */
export async function handleAll(store: EventStore, lines: readonly Line[]): Promise<Outcome[]> {
  const outcomes = new Map<string, Outcome>()
  const items = Map.groupBy(lines, ({ tenant, item: itemId }) => `${tenant}/${itemId}`)
  await Promise.all(
    [...items.values()].map(async (movements) => {
      for (const line of movements) outcomes.set(line.id, await handle(store, line))
    }),
  )
  return lines.flatMap(({ id }) => outcomes.get(id) ?? [])
}
