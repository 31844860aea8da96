import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { isConcurrencyError } from '../errors.js'
import type { EventStore } from '../event-store.js'
import { events, upTo } from './helpers.js'

/** One step of the storm, of a kind and a length that vary; resolves to the ids that it committed. */
export async function write(store: EventStore, writer: number, step: number): Promise<string[]> {
  const batch = events((step % 3) + 1, step % 7 === 0 ? 'rare' : 'tested')
  const ids = batch.map(({ id }) => id)
  const own = `own-${writer}`
  const failure = new Error('rolled back by the storm')
  const kind = (writer * 7 + step * 5) % 6
  if (kind === 0) await store.append('shared', batch)
  if (kind === 1) await store.append(own, batch)
  if (kind === 2)
    await store.appendMany([
      { streamId: own, events: batch },
      { streamId: `shared-${step % 2}`, events: [] },
    ])
  if (kind === 3 || kind === 4) {
    const attempt = store.transaction(
      async (tx) => {
        await tx.append(own, batch)
        for (const _ of upTo(step % 9)) await setImmediate()
        if (kind === 4) throw failure
      },
      { retries: 20 },
    )
    if (kind === 3) await attempt
    else await assert.rejects(attempt, (error) => error === failure)
  }
  if (kind === 5)
    await assert.rejects(store.append(own, batch, { expectedVersion: 1_000_000 }), isConcurrencyError)
  return kind > 3 ? [] : ids
}
