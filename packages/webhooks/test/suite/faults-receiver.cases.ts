import { describe, expect, it } from 'vitest'
import type { ResolvedAddress } from '../../src/index.js'
import { verifyWebhook } from '../../src/signature/index.js'
import type { Engine } from '../support/engines.js'
import { fixture, isEvery } from '../support/fixture.js'
import type { Fixture } from '../support/fixture.js'
import { ok, startReceiver, status } from '../support/receiver.js'
import { certificate, tlsOf } from '../support/tls.js'

/** What receivers do to a sender. */
export function receiverFaults(engine: () => Engine): void {
  describe('faults of receivers', () => {
    it('9: headers say 200 and the body drips for ever: the deadline is for all of it', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, timeoutMs: 150 })
      receiver.answer = (_, response) => {
        response.writeHead(200)
        const drip = setInterval(() => response.write('.'), 20)
        response.on('close', () => clearInterval(drip))
      }
      await using _worker = webhooks.run()
      await append(1)
      const [job] = await jobs(([each]) => each?.attempts === 1)
      expect(job).toMatchObject({
        status: 'pending',
        lastStatusCode: 200,
        lastError: expect.stringContaining('150 ms'),
      })
    })

    it('10: an endless answer, and one that unpacks to gigabytes, are cut off, and count by their status', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url })
      receiver.answer = (request, response) => {
        if (request.json().version === 1) {
          response.writeHead(200)
          const more = (): void => {
            while (!response.destroyed && response.write(Buffer.alloc(65_536, 'a')));
          }
          response.on('drain', more)
          more()
        } else response.writeHead(200, { 'content-encoding': 'gzip' }).end(Buffer.alloc(100_000))
      }
      await using _worker = webhooks.run()
      await append(2)
      const all = await jobs(isEvery('completed', 2))
      const bodies = await Promise.all(
        all.map(async ({ id }) => (await webhooks.deliveries.get(id))?.deliveries[0]?.responseBody),
      )
      expect(new Set(bodies)).toEqual(new Set(['(4096 bytes, encoded)', 'a'.repeat(4_096)]))
    })

    it('11: an answer of bytes that are no text is recorded all the same', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url })
      receiver.answer = (_, response) =>
        void response.writeHead(200).end(Buffer.from([0, 0xff, 0x41, 0xed, 0xa0, 0x80, 0]))
      await using _worker = webhooks.run()
      await append(1)
      const [job] = await jobs(isEvery('completed', 1))
      const found = await webhooks.deliveries.get(job?.id ?? '')
      expect(found?.deliveries).toMatchObject([
        { succeeded: true, responseBody: expect.stringMatching(/^\uFFFD+A\uFFFD+$/) },
      ])
    })

    it('12: a redirect, to a metadata address or back to where it came from, is a failure, and is not followed', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine(), { breakerFailures: 100 })
      await webhooks.endpoints.create({ url: receiver.url })
      const places = ['http://169.254.169.254/latest/meta-data/', `${receiver.url}/latest/meta-data/`]
      receiver.answer = (request, response) =>
        void response.writeHead(302, { location: places[request.json().version - 1] ?? '' }).end()
      await using _worker = webhooks.run()
      await append(2)
      const answered = { status: 'pending', lastStatusCode: 302, lastError: 'answered 302' }
      expect(
        await jobs((list) => list.length === 2 && list.every(({ attempts }) => attempts === 1)),
      ).toMatchObject([answered, answered])
      expect(receiver.requests.map(({ path }) => path)).toEqual(['/', '/'])
    })

    it.each([
      ['13: a name that has a public and a private address', ['127.0.0.1', '169.254.169.254']],
      ['13: a name that now leads to a private address (DNS rebinding)', ['10.0.0.1']],
    ])('%s is refused at the next connection', async (_, turned) => {
      const name = await namedReceiver(engine())
      name.addresses = turned
      await name.append(1)
      const [last] = await name.jobs(
        (list) => list.length === 2 && list.every(({ status: is }) => is === 'completed' || is === 'failed'),
      )
      expect(last).toMatchObject({
        status: 'failed',
        lastError: expect.stringContaining(turned.at(-1) ?? ''),
      })
      expect(name.receiver.requests).toHaveLength(1)
    })

    it('31: a refusal by the guard is for good: one attempt, no retry, no word against the endpoint', async () => {
      const name = await namedReceiver(engine())
      name.addresses = ['192.168.0.1']
      await name.append(3)
      await name.jobs((list) => list.filter(({ status: is }) => is === 'failed').length === 3)
      expect(await name.webhooks.deliveries.deadLetters()).toMatchObject(
        Array.from({ length: 3 }, () => ({ attempts: 1, maxAttempts: 10 })),
      )
      expect(await name.webhooks.endpoints.health(name.endpointId)).toMatchObject({ breaker: 'closed' })
      // and once the name is right again, by hand
      name.addresses = ['127.0.0.1']
      const [dead] = await name.webhooks.deliveries.deadLetters()
      await name.webhooks.deliveries.retry(dead?.id ?? '')
      await name.jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 2)
      expect(name.receiver.requests).toHaveLength(2)
    })

    it('16: Retry-After is honoured for 429 and 503, in seconds and as a date, capped at a day; junk is not', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine(), { breakerFailures: 100 })
      await webhooks.endpoints.create({ url: receiver.url, retry: { kind: 'fixed', delayMs: 1_000 } })
      const cases: [number, string, number][] = [
        [429, '3600', 3_600],
        [503, new Date(Date.now() + 600_000).toUTCString(), 600],
        [429, 'NaN', 1],
        [503, '315360000', 86_400],
        [500, '3600', 1],
      ]
      receiver.answer = (request, response) => {
        const [code, after] = cases[request.json().version - 1] ?? [204, '']
        response.writeHead(code, { 'retry-after': after }).end()
      }
      await using _worker = webhooks.run()
      await append(cases.length)
      const all = await jobs(
        (list) => list.length === cases.length && list.every(({ attempts }) => attempts === 1),
      )
      const waits = all
        .toSorted((a, b) => a.position - b.position)
        .map(({ nextAttempt, updatedAt }) => ((nextAttempt?.getTime() ?? 0) - updatedAt.getTime()) / 1000)
      for (const [index, [, , seconds]] of cases.entries()) {
        expect(waits[index]).toBeGreaterThan(seconds * 0.98 - 1)
        expect(waits[index]).toBeLessThan(seconds * 1.11 + 1)
      }
    })

    it('17: 410 disables the endpoint, gives the job up, and says so in the log', async () => {
      const { webhooks, store, receiver, append, jobs } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, events: ['order.*'] })
      receiver.answer = status(410)
      await using _worker = webhooks.run()
      await append(1)
      expect(await jobs(isEvery('failed', 1))).toMatchObject([{ attempts: 1, lastStatusCode: 410 }])
      const told = store.subscribe({ types: ['webhook.endpoint_disabled'] })
      const disabled = await told[Symbol.asyncIterator]().next()
      expect(disabled.value).toMatchObject({ data: { endpointId: endpoint.id, reason: 'gone' } })
      expect(await webhooks.endpoints.get(endpoint.id)).toMatchObject({
        enabled: false,
        disabledReason: 'gone',
      })
    })

    it('18: an expired certificate is a failure, and a valid one is not', async () => {
      const { webhooks, store, jobs } = await fixture(engine(), { ca: certificate('ca') })
      await using expired = await startReceiver({ tls: tlsOf('expired') })
      await using valid = await startReceiver({ tls: tlsOf('valid') })
      await webhooks.endpoints.create({ url: expired.url, events: ['to.expired'] })
      await webhooks.endpoints.create({ url: valid.url, events: ['to.valid'] })
      await using _worker = webhooks.run()
      await store.append('a', [
        { type: 'to.expired', data: {} },
        { type: 'to.valid', data: {} },
      ])
      const all = await jobs((list) => list.length === 2 && list.every(({ attempts }) => attempts === 1))
      expect(all.find(({ eventType }) => eventType === 'to.expired')).toMatchObject({
        status: 'pending',
        lastError: 'TLS failed (CERT_HAS_EXPIRED)',
      })
      expect(all.find(({ eventType }) => eventType === 'to.valid')).toMatchObject({ status: 'completed' })
      expect(expired.requests).toHaveLength(0)
    })

    it('22: a secret that is rotated between attempts signs the next one, beside the old one until that expires', async () => {
      const { webhooks, receiver, append, jobs, makeDue, sql } = await fixture(engine())
      const { endpoint, secret: old } = await webhooks.endpoints.create({ url: receiver.url })
      receiver.answer = status(500)
      await using _worker = webhooks.run()
      await append(1)
      await jobs(([each]) => each?.attempts === 1)
      const { secret: next } = await webhooks.endpoints.rotateSecret(endpoint.id)
      await makeDue()
      await jobs(([each]) => each?.attempts === 2)
      // the day is over
      await sql('update {{webhook_secrets}} set expires_at = created_at where expires_at is not null')
      await webhooks.endpoints.update(endpoint.id, { description: 'tells the workers' })
      receiver.answer = ok
      await makeDue()
      await jobs(isEvery('completed', 1))

      const signs = (secret: string) =>
        receiver.requests.map((request) => {
          try {
            return verifyWebhook({ ...request, secrets: secret }).id !== ''
          } catch {
            return false
          }
        })
      expect(signs(old)).toEqual([true, true, false])
      expect(signs(next)).toEqual([false, true, true])
    })

    it('26: a connection reset after the request was taken in is recorded, and brings no hidden second one', async () => {
      const { webhooks, receiver, append, jobs, makeDue } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url })
      await using _worker = webhooks.run()
      await append(1)
      await jobs(isEvery('completed', 1))
      receiver.answer = (_request, _response, raw) => void raw.socket.resetAndDestroy()
      await append(1)
      const [job] = await jobs(([each]) => each?.attempts === 1 && each.status === 'pending')
      expect(receiver.requests).toHaveLength(2)
      expect(job?.lastError).toMatch(/connection broke/)
      receiver.answer = ok
      await makeDue()
      await jobs(isEvery('completed', 2))
      expect(receiver.requests.map(({ headers }) => headers['webhook-id'])[2]).toBe(
        receiver.requests[1]?.headers['webhook-id'],
      )
    })
  })
}

/** One that is called by a name, which leads where the test wants; it has had one request, and no connection is left. */
async function namedReceiver(
  engine: Engine,
): Promise<Fixture & { addresses: string[]; readonly endpointId: string }> {
  const name = { addresses: ['127.0.0.1'] }
  const resolve = async (): Promise<ResolvedAddress[]> =>
    name.addresses.map((address) => ({ address, family: 4 }))
  const all = await fixture(engine, { resolve, allowNetworks: ['127.0.0.1'] })
  const { webhooks, receiver, append, jobs } = all
  const { endpoint } = await webhooks.endpoints.create({ url: `http://hooks.test:${receiver.port}/` })
  receiver.answer = status(204, { connection: 'close' })
  webhooks.run()
  await append(1)
  await jobs(isEvery('completed', 1))
  return Object.assign(name, all, { endpointId: endpoint.id })
}
