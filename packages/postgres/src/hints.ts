import { createHash } from 'node:crypto'
import { backoffDelay } from '@varve/core'
import type { HintAbout, HintChannel } from '@varve/sql'
import type pg from 'pg'

/** Between two notifications of one process, and from the first of several to the last. */
const EVERY_MS = 10
const RECONNECT = { baseDelayMs: 50 }
const MAX_RECONNECT_MS = 5_000
/** For the end of the connection: when the network hangs, the other side says nothing to it. */
const GOODBYE_MS = 1_000

/** What is used of a client. */
export type HintClient = Pick<pg.Client, 'connect' | 'query' | 'on' | 'end'> & { unref?(): void }

/**
 * LISTEN and NOTIFY on a connection of their own, so that appends never wait for one. Without payload and outside of the
 * appends' transactions, where NOTIFY would have commits wait for each other. Behind a pooler that shares connections
 * nothing may arrive: it is only a hint.
 */
export class PostgresHints implements HintChannel {
  readonly #open: () => HintClient
  readonly #channel: string
  #hint: ((about: HintAbout) => void) | undefined
  #client: HintClient | undefined
  #connected = false
  #retry: NodeJS.Timeout | undefined
  #failures = 0
  #pause: NodeJS.Timeout | undefined
  readonly #due = new Set<HintAbout>()
  #sending = false
  #closed = false

  constructor(schema: string, open: () => HintClient) {
    this.#open = open
    // one per schema; databases have channels of their own
    this.#channel = `varve_${createHash('sha256').update(schema).digest('hex').slice(0, 24)}`
  }

  listen(hint: (about: HintAbout) => void): void {
    const first = this.#hint === undefined
    this.#hint = hint
    if (!first || this.#closed) return
    if (this.#connected) this.#client?.query(`listen ${this.#channel}`).catch(() => undefined)
    else this.#connect()
  }

  send(about: HintAbout): void {
    if (this.#pause !== undefined && about === 'log') {
      this.#due.add(about)
      return
    }
    if (this.#closed) return
    this.#due.add(about)
    this.#connect()
    this.#flush()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    clearTimeout(this.#pause)
    const client = this.#client
    this.#client = undefined
    if (client === undefined) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((resolve) => (timer = setTimeout(resolve, GOODBYE_MS)))
    await Promise.race([client.end().catch(() => undefined), late])
    clearTimeout(timer)
  }

  #flush(): void {
    const client = this.#client
    if (!this.#connected || this.#sending || client === undefined || this.#due.size === 0) return
    const due = [...this.#due]
    this.#due.clear()
    this.#sending = true
    // the empty payload is about the log
    const notify = due.map((about) => `pg_notify('${this.#channel}', '${about === 'log' ? '' : about}')`)
    // a hint need not survive a crash: appends would wait while its commit is flushed
    const sent = client.query(`select set_config('synchronous_commit', 'off', true), ${notify.join(', ')}`)
    // when it fails, so does the connection
    sent
      .catch(() => undefined)
      .finally(() => (this.#sending = false))
      .catch(() => undefined)
    this.#pause = setTimeout(() => {
      this.#pause = undefined
      this.#flush()
    }, EVERY_MS)
    this.#pause.unref()
  }

  #connect(): void {
    if (this.#client !== undefined || this.#retry !== undefined) return
    const client = this.#open()
    this.#client = client
    let over = false
    const lost = (): void => {
      if (over) return
      over = true
      client.end().catch(() => undefined)
      this.#connected = false
      this.#sending = false
      if (this.#closed) return
      this.#client = undefined
      const delay = Math.min(MAX_RECONNECT_MS, backoffDelay(RECONNECT, Math.min(this.#failures++, 4)))
      this.#retry = setTimeout(() => {
        this.#retry = undefined
        this.#connect()
      }, delay)
      this.#retry.unref()
    }
    client.on('error', lost)
    client.on('end', lost)
    client.on('notification', ({ payload }) => this.#hint?.(payload === 'projections' ? payload : 'log'))
    this.#start(client).catch(lost)
  }

  async #start(client: HintClient): Promise<void> {
    await client.connect()
    // the process may end though this one is open
    client.unref?.()
    if (this.#hint !== undefined) await client.query(`listen ${this.#channel}`)
    this.#connected = true
    this.#failures = 0
    this.#flush()
    // what was sent while nobody listened
    this.#hint?.('log')
    this.#hint?.('projections')
  }
}
