/** Keeps the beginning of an answer, and nothing beyond. */
export class BodySink {
  readonly #limit: number
  readonly #chunks: Buffer[] = []
  #length = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** `false` when there is no room for more. */
  take(chunk: Buffer): boolean {
    const room = this.#limit - this.#length
    // a copy: the chunk is a window on the connection's whole buffer
    if (room > 0) this.#chunks.push(Buffer.from(chunk.subarray(0, room)))
    this.#length += Math.min(room, chunk.length)
    return chunk.length <= room
  }

  /** As text that every database stores: what is no UTF-8, and NUL, become U+FFFD. */
  text(encoding: string | undefined): string {
    if (encoding !== undefined && encoding !== '' && encoding !== 'identity') {
      // never unpacked: a few bytes may stand for gigabytes
      return `(${this.#length} bytes, encoded)`
    }
    return storable(Buffer.concat(this.#chunks).toString('utf8'))
  }
}

/** Without what Postgres refuses in text, or what JSON cannot carry. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}
