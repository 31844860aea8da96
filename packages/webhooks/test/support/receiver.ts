import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly at: number
  /** Of the body, when it is JSON. */
  json(): { id: string; type: string; data: unknown; position: number; streamId: string; version: number }
}

export type Answering = (
  request: Received,
  response: ServerResponse,
  raw: IncomingMessage,
) => void | Promise<void>

/** A server on loopback that keeps what it gets, and answers as it is told. */
export interface Receiver extends AsyncDisposable {
  readonly url: string
  readonly port: number
  readonly requests: Received[]
  /** `204` until it is said otherwise. */
  answer: Answering
  /** Resolves when there are as many requests (of the path). */
  until(count: number, path?: string): Promise<Received[]>
  /** At the moment, and the highest there was. */
  readonly open: { now: number; most: number }
  close(): Promise<void>
}

export const ok: Answering = (_, response) => void response.writeHead(204).end()
export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answering =>
  (_, response) =>
    void response.writeHead(code, headers).end(body)

/** Has it keep requests unanswered; what this gives answers the latest one. */
export function holdAnswers(receiver: Receiver, code = 204): () => void {
  let answer = (): void => {
    throw new Error('no request is waiting for its answer')
  }
  receiver.answer = (_, response) => {
    answer = () => void response.writeHead(code).end()
  }
  return () => answer()
}

export async function startReceiver(
  options: { tls?: { key: string; cert: string }; answer?: Answering; port?: number } = {},
): Promise<Receiver> {
  const waiting = new Set<() => void>()
  const handle = async (raw: IncomingMessage, response: ServerResponse): Promise<void> => {
    receiver.open.now++
    receiver.open.most = Math.max(receiver.open.most, receiver.open.now)
    response.once('close', () => receiver.open.now--)
    try {
      const body = await buffer(raw)
      const received: Received = {
        path: raw.url ?? '',
        headers: raw.headers,
        body,
        at: performance.now(),
        json: () => JSON.parse(body.toString()) as ReturnType<Received['json']>,
      }
      receiver.requests.push(received)
      for (const check of waiting) check()
      await receiver.answer(received, response, raw)
    } catch {
      // a request that was given up on
    }
  }
  const listener = (raw: IncomingMessage, response: ServerResponse): void => void handle(raw, response)
  const server: Server =
    options.tls === undefined ? createServer(listener) : createTlsServer(options.tls, listener)
  server.on('clientError', (_, socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const receiver: Receiver = {
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    requests: [],
    answer: options.answer ?? ok,
    open: { now: 0, most: 0 },
    until(count, path) {
      const got = (): Received[] =>
        receiver.requests.filter((each) => path === undefined || each.path === path)
      return new Promise((resolve) => {
        const check = (): void => {
          if (got().length < count) return
          waiting.delete(check)
          resolve(got())
        }
        waiting.add(check)
        check()
      })
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
    [Symbol.asyncDispose]: () => receiver.close(),
  }
  return receiver
}
