import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { verifyWebhook } from '@varve/webhooks/signature'

/** What an answer is to be: a status, or none at all. */
export type Answer = number | 'never'

export interface Seen {
  readonly path: string
  readonly messageId: string
  readonly eventId: string
  readonly type: string
}

export interface Receiver {
  readonly url: string
  /** Requests whose signature was right, in their order. */
  readonly seen: Seen[]
  /** Requests that were refused for their signature. */
  forged: number
  /** Secrets, by path. */
  readonly secrets: Map<string, string>
  /** Answers to come, by path and type, one after the other; then 204. */
  readonly script: Map<string, Answer[]>
  /** Resolves with the next request to a path, before it is answered. */
  next(path: string): Promise<Seen>
  close(): Promise<void>
}

/** Somebody's server: it checks signatures as a receiver should, and answers as the scenario says. */
export async function startReceiver(): Promise<Receiver> {
  const waiting: { path: string; resolve: (seen: Seen) => void }[] = []
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const body = await buffer(request)
      const path = request.url ?? ''
      const { id } = verifyWebhook({
        headers: request.headers,
        body,
        secrets: receiver.secrets.get(path) ?? '',
      })
      const event = JSON.parse(body.toString()) as { id: string; type: string }
      const seen = { path, messageId: id, eventId: event.id, type: event.type }
      receiver.seen.push(seen)
      for (const each of waiting.splice(0)) {
        if (each.path === path) each.resolve(seen)
        else waiting.push(each)
      }
      const answer = receiver.script.get(`${path} ${event.type}`)?.shift() ?? 204
      if (answer !== 'never') response.writeHead(answer).end(answer === 500 ? 'out of order' : undefined)
    } catch {
      receiver.forged++
      response.writeHead(401).end()
    }
  }
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen: [],
    forged: 0,
    secrets: new Map(),
    script: new Map(),
    next: (path) => new Promise((resolve) => waiting.push({ path, resolve })),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return receiver
}
