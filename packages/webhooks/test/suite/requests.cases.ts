import { createHmac } from 'node:crypto'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { describe, expect, it } from 'vitest'
import { generateKeyPair, verifyWebhook } from '../../src/signature/index.js'
import type { Engine } from '../support/engines.js'
import { fixture, isEvery } from '../support/fixture.js'
import type { Received } from '../support/receiver.js'

/** What goes over the wire. */
export function requestCases(engine: () => Engine): void {
  describe('requests', () => {
    it('carry the event without its metadata, and headers that tell which message it is', async () => {
      const { webhooks, store, receiver, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: `${receiver.url}/hooks?of=us`, customHeaders: { 'X-Key': 'k' } })
      await using _worker = webhooks.run()
      const { events } = await store.append(
        'order-1',
        [
          {
            type: 'order.placed',
            data: { text: 'Grüße ☕ \u2028' },
            metadata: { inner: 'ours' },
            correlationId: 'c-1',
          },
        ],
        { streamType: 'order' },
      )
      const [job] = await jobs(isEvery('completed', 1))
      const [{ headers, body, path } = {}] = receiver.requests
      const [event] = events
      expect(path).toBe('/hooks?of=us')
      expect(JSON.parse(String(body))).toEqual({
        id: event?.id,
        type: 'order.placed',
        timestamp: event?.occurredAt.toISOString(),
        data: { text: 'Grüße ☕ \u2028' },
        tenantId: 'default',
        streamId: 'order-1',
        streamType: 'order',
        version: 1,
        position: event?.position,
        schemaVersion: 1,
        correlationId: 'c-1',
      })
      expect(headers).toMatchObject({
        'content-type': 'application/json',
        'content-length': String(body?.length),
        'user-agent': 'varve-webhooks',
        'x-key': 'k',
        'webhook-id': job?.messageId,
      })
    })

    it('of bytes that are no UTF-8 are signed byte by byte', async () => {
      const bytes = Uint8Array.from([0xff, 0xfe, 0, 0x80, 0x61, 0xed, 0xa0, 0x80])
      const { webhooks, receiver, append, jobs } = await fixture(engine(), {
        payload: () => ({ body: bytes, contentType: 'application/octet-stream' }),
      })
      const { secret } = await webhooks.endpoints.create({ url: receiver.url })
      await using _worker = webhooks.run()
      await append(1)
      await jobs(isEvery('completed', 1))
      const [{ headers, body }] = (await receiver.until(1)) as [Received]
      expect(body).toEqual(Buffer.from(bytes))
      expect(headers['content-type']).toBe('application/octet-stream')
      verifyWebhook({ headers, body, secrets: secret })
      // worked out by hand: the libraries that others use take every body for text
      const signed = Buffer.concat([
        Buffer.from(`${String(headers['webhook-id'])}.${String(headers['webhook-timestamp'])}.`),
        body,
      ])
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64')
      expect(headers['webhook-signature']).toBe(
        `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
      )
    })

    it('are signed with Ed25519 for an endpoint that has a pair of keys, and with both while it changes over', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      const pair = generateKeyPair()
      const { endpoint, secret } = await webhooks.endpoints.create({ url: receiver.url, secret: pair.secret })
      expect(secret).toBe(pair.publicKey)
      await using _worker = webhooks.run()
      await append(1)
      await jobs(isEvery('completed', 1))
      const { secret: shared } = await webhooks.endpoints.rotateSecret(endpoint.id)
      await append(1)
      await jobs(isEvery('completed', 2))
      const [first, second] = receiver.requests
      expect(first?.headers['webhook-signature']).toMatch(/^v1a,\S{88}$/)
      expect(second?.headers['webhook-signature']).toMatch(/^v1,\S{44} v1a,\S{88}$/)
      for (const request of receiver.requests) verifyWebhook({ ...request, secrets: pair.publicKey })
      expect(() => first && verifyWebhook({ ...first, secrets: shared })).toThrow(/No signature/)
      // who knows HMAC only finds his signature beside the other one
      const { headers, body } = {
        headers: second?.headers as Record<string, string>,
        body: String(second?.body),
      }
      new Webhook(shared).verify(body, headers)
      new SvixWebhook(shared).verify(body, headers)
    })

    it('succeed with 2xx, and with nothing else', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine(), { breakerFailures: 100 })
      await webhooks.endpoints.create({ url: receiver.url, maxRetries: 0 })
      const codes = [200, 201, 202, 204, 299, 300, 304, 307, 400, 401, 404, 408, 429, 500, 503, 599]
      receiver.answer = (request, response) =>
        void response.writeHead(codes[request.json().version - 1] ?? 500).end()
      await using _worker = webhooks.run()
      await append(codes.length)
      const all = await jobs(
        (list) =>
          list.length === codes.length &&
          list.every(({ status: is }) => is === 'completed' || is === 'failed'),
      )
      expect(
        all
          .toSorted((a, b) => a.position - b.position)
          .map(({ lastStatusCode, status: is }) => [lastStatusCode, is]),
      ).toEqual(codes.map((code) => [code, code < 300 ? 'completed' : 'failed']))
    })
  })
}
