import { Agent } from 'undici'
import type { Dispatcher } from 'undici'
import { guardedConnector } from '../guard/connector.js'
import type { SsrfGuard } from '../guard/guard.js'
import { BodySink } from './body-sink.js'
import { failureOf } from './failure-text.js'
import type { Failure } from './failure-text.js'

export interface SenderOptions {
  readonly guard: SsrfGuard
  /** Of an answer's body, what is read and kept. */
  readonly maxResponseBytes: number
  readonly ca?: string | readonly string[] | undefined
}

export interface OutgoingRequest {
  readonly url: URL
  /** Names and values in turn. */
  readonly headers: string[]
  readonly body: Buffer
  /** For all of it: name, connection, TLS, headers, body. */
  readonly timeoutMs: number
}

export interface Answer {
  /** Absent when no headers came. */
  readonly statusCode?: number
  readonly retryAfter?: string | readonly string[] | undefined
  readonly body: string
  /** Absent when the answer came whole, or as much of it as is wanted. */
  readonly failure?: Failure
  readonly durationMs: number
}

/** Makes POST requests, each exactly once. */
export class Sender {
  readonly #agent: Agent
  readonly #maxResponseBytes: number
  /** By whom they were asked for. */
  readonly #underWay = new Map<object, Set<Exchange>>()

  constructor({ guard, maxResponseBytes, ca }: SenderOptions) {
    this.#maxResponseBytes = maxResponseBytes
    this.#agent = new Agent({
      // deadlines are ours, over the whole attempt; undici's own are for its parts
      connect: guardedConnector({ guard, ca, timeoutMs: 60_000 }),
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 4_000,
      pipelining: 1,
    })
  }

  /** @param owner whose requests `giveUp` ends */
  send(request: OutgoingRequest, owner: object = this): Promise<Answer> {
    let own = this.#underWay.get(owner)
    if (own === undefined) this.#underWay.set(owner, (own = new Set()))
    return new Promise((resolve) => {
      const exchange = new Exchange(request, this.#maxResponseBytes, (answer) => {
        own.delete(exchange)
        resolve(answer)
      })
      own.add(exchange)
      try {
        this.#agent.dispatch(
          {
            origin: request.url.origin,
            path: request.url.pathname + request.url.search,
            method: 'POST',
            headers: request.headers,
            body: request.body,
          },
          exchange,
        )
      } catch (error) {
        exchange.onResponseError(undefined, error)
      }
    })
  }

  /** Ends the requests of somebody who cannot wait for them any longer. */
  giveUp(owner: object): void {
    for (const exchange of this.#underWay.get(owner) ?? []) exchange.stop()
    this.#underWay.delete(owner)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #begun = performance.now()
  readonly #sink: BodySink
  readonly #timer: NodeJS.Timeout
  readonly #resolve: (answer: Answer) => void
  #controller: Dispatcher.DispatchController | undefined
  #statusCode: number | undefined
  #headers: NodeJS.Dict<string | string[]> = {}
  #done = false

  constructor({ timeoutMs }: OutgoingRequest, maxResponseBytes: number, resolve: (answer: Answer) => void) {
    this.#sink = new BodySink(maxResponseBytes)
    this.#resolve = resolve
    this.#timer = setTimeout(() => {
      this.#end({ kind: 'timeout', text: `no complete answer within ${timeoutMs} ms` }, true)
    }, timeoutMs)
  }

  stop(): void {
    this.#end({ kind: 'stopped', text: 'the worker was stopped' }, true)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    // it is over before it could begin: nothing has been written yet
    if (this.#done) controller.abort(new Error('over'))
  }

  onResponseStart(
    _: Dispatcher.DispatchController,
    statusCode: number,
    headers: NodeJS.Dict<string | string[]>,
  ): void {
    if (statusCode < 200) return
    this.#statusCode = statusCode
    this.#headers = headers
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return
    if (!this.#sink.take(chunk)) this.#end(undefined, true)
  }

  onResponseEnd(): void {
    this.#end(undefined, false)
  }

  onResponseError(_: Dispatcher.DispatchController | undefined, error: unknown): void {
    this.#end(failureOf(error), false)
  }

  #end(failure: Failure | undefined, abort: boolean): void {
    if (this.#done) return
    this.#done = true
    clearTimeout(this.#timer)
    const encoding = this.#headers['content-encoding']
    this.#resolve({
      ...(this.#statusCode !== undefined && { statusCode: this.#statusCode }),
      ...(failure !== undefined && { failure }),
      retryAfter: this.#headers['retry-after'],
      body: this.#sink.text(Array.isArray(encoding) ? encoding.join() : encoding),
      durationMs: Math.round(performance.now() - this.#begun),
    })
    if (abort) this.#controller?.abort(new Error('over'))
  }
}
