import { v7 } from 'uuid'

const SIZE = 16
// asking the system for randomness costs ten times the rest of an id, however little is asked for
const pool = new Uint8Array(SIZE * 256)
let used = pool.length
let lastMs = 0
let sequence = 0

/** A new UUIDv7, greater than every one before it in this process, also within a millisecond or after the clock was set back. */
export function newEventId(): string {
  if (used === pool.length) {
    globalThis.crypto.getRandomValues(pool)
    used = 0
  }
  const random = pool.subarray(used, (used += SIZE))
  const now = Date.now()
  if (now > lastMs) {
    lastMs = now
    // the uppermost bit stays free to count in
    sequence =
      (((random[6] ?? 0) & 0x7f) << 24) |
      ((random[7] ?? 0) << 16) |
      ((random[8] ?? 0) << 8) |
      (random[9] ?? 0)
  } else {
    sequence = (sequence + 1) | 0
    if (sequence === 0) lastMs++
  }
  return v7({ random, msecs: lastMs, seq: sequence })
}
