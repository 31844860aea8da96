import { isEventStoreError, newEvent } from '@varve/core'
import type { EventStore } from '@varve/core'
import { expect } from 'vitest'
import { CHAOS_MS } from './torture.ts'

export interface AppendSurvival<Client> {
  /** Migrated, and empty. */
  readonly store: EventStore<Client>
  /** A second store on the same tables, as another process has. */
  readonly other: EventStore<Client>
  /** What goes wrong now and then: backends killed, say. */
  readonly trouble: () => Promise<unknown>
}

const WRITERS = 16
const STREAMS = 23

/**
 * Appends from two stores while connections are killed and a third party follows the log. Then: every append that was
 * acknowledged is stored once, what is stored was asked for, versions have no gaps, and the follower got each event once and in order.
 */
export async function appendsSurvive<Client>({
  store,
  other,
  trouble,
}: AppendSurvival<Client>): Promise<void> {
  const end = performance.now() + CHAOS_MS / 2
  const goesOn = (): boolean => performance.now() < end
  const acknowledged = new Map<string, number>()
  const asked = new Set<string>()
  const following = new AbortController()
  const followed: number[] = []
  const follow = async (): Promise<void> => {
    for await (const event of other.subscribe({ signal: following.signal })) followed.push(event.position)
  }
  const write = async (writer: number): Promise<void> => {
    const own = writer % 2 === 0 ? store : other
    for (let n = 0; goesOn(); n++) {
      const events = Array.from({ length: 1 + (n % 3) }, () =>
        newEvent({ type: 'counted', data: { writer, n } }),
      )
      for (const { id } of events) asked.add(id ?? '')
      try {
        const result = await own.append(`s-${(writer * 7 + n) % STREAMS}`, events)
        for (const event of result.events) acknowledged.set(event.id, event.position)
      } catch (error) {
        // not known, or not stored: either is allowed, and comes out below
        if (!isEventStoreError(error) || !error.retryable) throw error
      }
    }
  }
  const disturb = async (): Promise<void> => {
    while (goesOn()) {
      await new Promise((resolve) => setTimeout(resolve, 50 + Math.random() * 250))
      await trouble()
    }
  }
  const follower = follow()
  await Promise.all([...Array.from({ length: WRITERS }, (_, writer) => write(writer)), disturb()])

  const stored = new Map<string, number>()
  const versions = new Map<string, number>()
  for await (const { id, position, streamId, version } of store.readAll()) {
    expect(stored.has(id)).toBe(false)
    stored.set(id, position)
    expect(version).toBe((versions.get(streamId) ?? 0) + 1)
    versions.set(streamId, version)
  }
  const last = [...stored.values()].at(-1) ?? 0
  while ((followed.at(-1) ?? 0) < last) await new Promise((resolve) => setTimeout(resolve, 10))
  following.abort()
  await follower

  expect([...acknowledged].filter(([id, position]) => stored.get(id) !== position)).toEqual([])
  expect([...stored.keys()].filter((id) => !asked.has(id))).toEqual([])
  expect(followed).toEqual([...stored.values()])
  expect(acknowledged.size).toBeGreaterThan(100)
  expect(await store.verify()).toMatchObject({ ok: true, events: stored.size })
}
