import { createHash } from 'node:crypto'
import type { EventReader } from '@varve/core'

/** One number for all events and their order. Positions are not in it: they may have gaps, elsewhere on each database. */
export async function logDigest(store: EventReader, until?: number): Promise<string> {
  const hash = createHash('sha256')
  for await (const event of store.readAll(until === undefined ? {} : { until })) hash.update(event.checksum)
  return hash.digest('hex')
}
