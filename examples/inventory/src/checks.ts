import { isDeepStrictEqual } from 'node:util'
import type { Write } from './report.ts'

export interface Check {
  readonly name: string
  readonly ok: boolean
}

/** Compares and remembers; a difference is printed where it is found. */
export class Checks {
  readonly #write: Write
  readonly #done: Check[] = []

  constructor(write: Write) {
    this.#write = write
  }

  equal(name: string, actual: unknown, expected: unknown): void {
    const ok = isDeepStrictEqual(actual, expected)
    this.#done.push({ name, ok })
    this.#write(`  ${ok ? 'ok  ' : 'FAIL'} ${name}`)
    if (ok) return
    this.#write(`       expected ${JSON.stringify(expected)}`)
    this.#write(`       found    ${JSON.stringify(actual)}`)
  }

  get passed(): boolean {
    return this.#done.length > 0 && this.#done.every(({ ok }) => ok)
  }
}
