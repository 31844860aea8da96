import { canonicalParts } from '@varve/core'
import { EXISTS } from '@varve/sql'
import type { Applied, HeadWrite, SqlDriver } from '@varve/sql'
import { numberOf } from './classify.js'
import { decode, timeOfText, timeParameter } from './decode.js'
import type { Names } from './names.js'

// dumps leave procedures out unless told otherwise, and a role may not be allowed to call them
const withoutProcedure = new Set([1305, 1370])
const MAX_BYTES = 64 * 1024
const MAX_KNOWN = 10_000

/**
 * One event to a stream that exists, in one round trip and with the lock of the log held no longer than the server needs. What
 * the procedure does not do (see there) is left to the append step, which does all of it.
 */
export class LoneAppend {
  readonly #driver: Pick<SqlDriver, 'query'>
  readonly #text: string
  /** Of streams that are known to exist; a type never changes. What was used last stands last. */
  readonly #types = new Map<string, string>()
  #available = true

  constructor(driver: Pick<SqlDriver, 'query'>, names: Names) {
    this.#driver = driver
    const parameters = Array.from({ length: 16 }, (_, index) => `$${index + 1}`)
    this.#text = `call ${names.quoted('append_event')}(${parameters.join(', ')})`
  }

  /** Undefined when it was not done this way. */
  async append(writes: readonly HeadWrite[]): Promise<Applied | undefined> {
    const [write] = writes
    const [event] = write?.events ?? []
    if (!this.#available || writes.length !== 1 || write === undefined || event === undefined)
      return undefined
    if (write.events.length !== 1 || event.tags.length > 0 || event.bytes > MAX_BYTES) return undefined
    if (write.expected === 0) return undefined
    const streamType = this.#typeOf(write)
    if (streamType === undefined) return undefined
    const { tenantId, streamId, expected } = write
    const { pre, post, tail } = canonicalParts(event, tenantId, streamId)
    const params = [
      tenantId,
      streamId,
      streamType,
      expected,
      event.id,
      event.type,
      event.schemaVersion,
      event.data,
      event.metadata,
      event.correlationId ?? null,
      event.causationId ?? null,
      event.createdBy ?? null,
      timeParameter(event.occurredAt),
      event.sizeBytes,
      pre,
      `${post}${JSON.stringify(streamType)}${tail}`,
    ]
    try {
      const [row] = await this.#driver.query(this.#text, params)
      const version = decode.number(row?.[0])
      if (version === 0) return undefined
      return { version, streamType, positions: [decode.number(row?.[1])], recordedAt: timeOfText(row?.[2]) }
    } catch (error) {
      if (!withoutProcedure.has(numberOf(error) ?? 0)) throw error
      this.#available = false
      return undefined
    }
  }

  /** The stream of a write that was applied exists. */
  learn({ tenantId, streamId }: HeadWrite, { streamType }: Applied): void {
    const key = `${tenantId}\0${streamId}`
    this.#types.delete(key)
    this.#types.set(key, streamType)
    if (this.#types.size <= MAX_KNOWN) return
    const [oldest] = this.#types.keys()
    if (oldest !== undefined) this.#types.delete(oldest)
  }

  #typeOf({ tenantId, streamId, streamType, expected }: HeadWrite): string | undefined {
    // who expects a version takes the stream to exist, and may know its type
    if (streamType !== undefined && (expected > 0 || expected === EXISTS)) return streamType
    const known = this.#types.get(`${tenantId}\0${streamId}`)
    return streamType === undefined || streamType === known ? known : undefined
  }
}
