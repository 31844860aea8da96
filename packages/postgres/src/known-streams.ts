import { EXISTS } from '@varve/sql'
import type { Applied, HeadWrite } from '@varve/sql'

const MAX = 20_000

/** Streams that exist as far as this process knows: a hint, which saves an append to `'any'` the attempt to make its stream. */
export class KnownStreams {
  readonly #keys = new Set<string>()

  has(write: HeadWrite): boolean {
    return this.#keys.has(keyOf(write))
  }

  learn(writes: readonly HeadWrite[], applied: readonly (Applied | undefined)[]): void {
    for (const [index, write] of writes.entries()) {
      // what names a version, or must exist, never makes its stream: there is nothing to save
      if (write.expected > 0 || write.expected === EXISTS) continue
      const place = applied[index]
      if (place === undefined || place.version === 0) this.#keys.delete(keyOf(write))
      else this.#add(keyOf(write))
    }
  }

  #add(key: string): void {
    if (this.#keys.has(key)) return
    if (this.#keys.size >= MAX) {
      const [oldest] = this.#keys
      if (oldest !== undefined) this.#keys.delete(oldest)
    }
    this.#keys.add(key)
  }
}

function keyOf({ tenantId, streamId }: HeadWrite): string {
  return `${tenantId}\0${streamId}`
}
