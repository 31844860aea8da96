import type { ServerResponse } from 'node:http'
import { SIZES_TIMEOUT_MS, TORTURE } from '@varve/test-servers'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Engine } from '../support/engines.js'
import { encryptionKeys, eventually, fixture, isEvery } from '../support/fixture.js'
import { ok, startReceiver, status } from '../support/receiver.js'

/** What happens in operation: bad input, dead endpoints, floods, changes under way. */
export function operationFaults(engine: () => Engine): void {
  describe('faults in operation', () => {
    it.each([
      'http://127.1/',
      'http://0x7f000001/',
      'http://[::ffff:127.0.0.1]/',
      'http://2130706433/',
      'http://017700000001/',
    ])('14: %s, an odd spelling of a private address, is refused when it is saved', async (url) => {
      const { webhooks } = await fixture(engine(), { allowNetworks: [] })
      await expect(webhooks.endpoints.create({ url })).rejects.toMatchObject({ argument: 'url' })
      expect(await webhooks.endpoints.list()).toEqual([])
    })

    it('15: credentials in the URL, line breaks in headers, and headers of our own are refused', async () => {
      const { webhooks, receiver } = await fixture(engine())
      const create = (url: string, customHeaders: Record<string, string> = {}) =>
        webhooks.endpoints.create({ url, customHeaders })
      await expect(create('http://user:SECRET@127.0.0.1/')).rejects.toThrow(
        expect.objectContaining({ argument: 'url' }),
      )
      await expect(create('http://127.0.0.1/\r\nx: y')).rejects.toMatchObject({ argument: 'url' })
      for (const [name, value] of [
        ['x-key', 'SECRET\r\nhost: evil'],
        ['x-key', 'SECRET\0'],
        ['host', 'SECRET'],
        ['Webhook-Signature', 'SECRET'],
        ['webhook-id', 'SECRET'],
        ['content-length', 'SECRET'],
        ['x key', 'SECRET'],
        ['x\r\ny', 'SECRET'],
      ] as const) {
        await expect(create(receiver.url, { [name]: value })).rejects.toThrow(
          expect.objectContaining({
            code: 'VARVE_INVALID_ARGUMENT',
            message: expect.not.stringContaining('SECRET'),
          }),
        )
      }
    })

    it(
      '19: a dead endpoint with a backlog keeps no healthy one waiting',
      { timeout: SIZES_TIMEOUT_MS },
      async () => {
        const [backlog, healthy] = TORTURE ? [20_000, 20] : [300, 5]
        const { webhooks, receiver, store } = await fixture(engine(), {
          timeoutMs: 60_000,
          leaseMs: 90_000,
          concurrency: 32,
        })
        const held: ServerResponse[] = []
        await using dead = await startReceiver({ answer: (_, response) => void held.push(response) })
        const { endpoint } = await webhooks.endpoints.create({ url: dead.url, events: ['order.*'] })
        for (let n = 0; n < healthy; n++)
          await webhooks.endpoints.create({ url: `${receiver.url}/${n}`, events: ['order.placed'] })
        for (let made = 0; made < backlog; made += 100) {
          const events = Array.from({ length: 100 }, () => ({ type: 'order.late', data: {} }))
          await store.append('late', events)
        }
        await using worker = webhooks.run()
        await worker.caughtUp()
        await dead.until(1)
        await store.append(
          'order-1',
          Array.from({ length: 20 }, () => ({ type: 'order.placed', data: {} })),
        )
        await receiver.until(20 * healthy)
        expect(await webhooks.endpoints.health(endpoint.id)).toMatchObject({
          pending: expect.any(Number),
          failed: 0,
        })
        expect((await webhooks.endpoints.health(endpoint.id)).pending).toBeGreaterThan(backlog - 20)
        // it is given no more than it has earned, and none of it has timed out yet
        expect(dead.requests.length).toBeLessThanOrEqual(10)
        await webhooks.endpoints.disable(endpoint.id)
        for (const response of held) response.writeHead(204).end()
        await worker.stop()
      },
    )

    it(
      '20: many jobs due at once begin slowly, and never go beyond what the endpoint may have',
      { timeout: SIZES_TIMEOUT_MS },
      async () => {
        const many = TORTURE ? 10_000 : 200
        const { webhooks, receiver, append } = await fixture(engine())
        await webhooks.endpoints.create({ url: receiver.url, maxConcurrency: 12 })
        for (let made = 0; made < many; made += 200) await append(200)
        const first: (() => void)[] = []
        receiver.answer = (_, response) => void first.push(() => void response.writeHead(204).end())
        await using _worker = webhooks.run()
        await receiver.until(4)
        await webhooks.endpoints.list()
        expect(receiver.requests).toHaveLength(4)
        receiver.answer = (_, response) => void setImmediate(() => response.writeHead(204).end())
        for (const answer of first) answer()
        await eventually(async () => (await webhooks.stats())[0]?.jobs.completed === many)
        expect(receiver.open.most).toBeGreaterThan(4)
        expect(receiver.open.most).toBeLessThanOrEqual(12)
      },
    )

    it('21: an endpoint disabled or deleted while a request is on the wire: what waits is held, or cancelled', async () => {
      const { webhooks, receiver, append, jobs, makeDue } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, maxConcurrency: 1 })
      let answer: ((code: number) => void) | undefined
      receiver.answer = (_, response) => {
        answer = (code) => void response.writeHead(code).end()
      }
      await using worker = webhooks.run()
      await append(2)
      await worker.caughtUp()
      await receiver.until(1)
      await webhooks.endpoints.disable(endpoint.id)
      answer?.(204)
      await jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 1)
      await makeDue()
      expect(receiver.requests).toHaveLength(1)

      await webhooks.endpoints.enable(endpoint.id)
      await receiver.until(2)
      await append(1)
      await worker.caughtUp()
      await webhooks.endpoints.delete(endpoint.id)
      answer?.(500)
      const all = await jobs(
        (list) =>
          list.length === 3 && list.every(({ status: is }) => is === 'completed' || is === 'cancelled'),
      )
      expect(all.map(({ status: is }) => is).toSorted()).toEqual(['cancelled', 'cancelled', 'completed'])
      expect(await webhooks.endpoints.get(endpoint.id)).toBeUndefined()
      // the audit stays
      expect(
        (await webhooks.deliveries.get(all.find(({ attempts }) => attempts === 1)?.id ?? ''))?.deliveries,
      ).toHaveLength(1)
    })

    it('32: no secret is in any row, error, alarm, log or answer of the interface', async () => {
      const logged = capturedOutput()
      const { webhooks, receiver, append, jobs, alarms, sql, another } = await fixture(engine())
      const customHeaders = { authorization: 'Bearer TOPSECRET-HEADER', 'x-api-key': 'TOPSECRET-KEY' }
      const { endpoint, secret } = await webhooks.endpoints.create({ url: receiver.url, customHeaders })
      const own = `whsec_${Buffer.from('TOPSECRET-OWN-SECRET-OF-32-BYTES').toString('base64')}`
      await webhooks.endpoints.rotateSecret(endpoint.id, { secret: own })
      receiver.answer = status(500)
      const worker = webhooks.run()
      await append(1)
      await jobs(([job]) => job?.attempts === 1)
      expect(receiver.requests[0]?.headers).toMatchObject(customHeaders)
      await worker.stop()
      const keyless = another({ encryptionKeys: [{ id: 'other', key: 'b'.repeat(64) }] })
      const error: unknown = await keyless.endpoints.sendTest(endpoint.id).catch((reason: unknown) => reason)

      const tables = ['endpoints', 'secrets', 'endpoint_health', 'jobs', 'deliveries', 'stats']
      const rows = await Promise.all(tables.map((table) => sql(`select * from {{webhook_${table}}}`)))
      const shown = [
        await webhooks.endpoints.list(),
        await webhooks.endpoints.health(endpoint.id),
        await webhooks.deliveries.list(),
        await webhooks.deliveries.get((await webhooks.deliveries.list())[0]?.id ?? ''),
        await webhooks.stats(),
        await webhooks.health(),
        String((error as Error).stack),
        alarms,
        rows,
        logged,
      ]
      const text = JSON.stringify(shown)
      expect(text).toContain('authorization')
      for (const each of ['TOPSECRET', secret, secret.slice(6), own.slice(6), 'a'.repeat(64)])
        expect(text).not.toContain(each)
    })

    it('keys rotate: what is encrypted is encrypted once more, and the old key can go', async () => {
      const { webhooks, another, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, customHeaders: { 'x-key': 'of the header' } })
      const next = { id: 'next', key: 'c'.repeat(64) }
      expect(await another({ encryptionKeys: [next, ...encryptionKeys] }).reencrypt()).toBe(2)
      expect(await another({ encryptionKeys: [next, ...encryptionKeys] }).reencrypt()).toBe(0)
      await using _worker = another({ encryptionKeys: [next] }).run()
      await append(1)
      await jobs(isEvery('completed', 1))
      expect(receiver.requests[0]?.headers).toMatchObject({ 'x-key': 'of the header' })
    })

    it('an endpoint that fails, and only fails, for too long is disabled, with an event; one that succeeds now and then is not', async () => {
      const { webhooks, receiver, store, append, jobs, sql, alarms } = await fixture(engine(), {
        disableAfterMs: 3_600_000,
      })
      const { endpoint } = await webhooks.endpoints.create({
        url: receiver.url,
        events: ['order.*'],
        maxConcurrency: 1,
      })
      receiver.answer = status(500)
      await using worker = webhooks.run()
      await append(1)
      await jobs(([job]) => job?.attempts === 1)
      const past = '(select min(e.created_at) from {{webhook_endpoints}} e)'
      await sql(`update {{webhook_endpoint_health}} set failing_since = ${past}`)
      receiver.answer = ok
      await append(1)
      await jobs((list) => list.some(({ status: is }) => is === 'completed'))
      await eventually(async () => (await webhooks.endpoints.health(endpoint.id)).failingSince === undefined)

      receiver.answer = status(500)
      await append(1)
      await jobs((list) => list.filter(({ attempts }) => attempts > 0).length === 3)
      // an hour and more ago, by the database's own clock
      await sql(longAgo(engine().sql))
      await append(1)
      await worker.caughtUp()
      await eventually(async () => (await webhooks.endpoints.get(endpoint.id))?.enabled === false)
      expect(await webhooks.endpoints.get(endpoint.id)).toMatchObject({ disabledReason: 'failing' })
      await eventually(() => alarms.some(({ kind }) => kind === 'disabled'))
      const events = await store.readAll({ types: ['webhook.endpoint_disabled'] }).toArray()
      expect(events).toMatchObject([{ data: { endpointId: endpoint.id, reason: 'failing' } }])
    })
  })
}

/** What goes to the console, or straight to the streams of the process, until the test has ended. */
function capturedOutput(): unknown[] {
  const logged: unknown[] = []
  const spies = [
    ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name)),
    vi.spyOn(process.stdout, 'write'),
    vi.spyOn(process.stderr, 'write'),
    vi.spyOn(process, 'emitWarning'),
  ]
  for (const spy of spies) {
    spy.mockImplementation((...given: unknown[]) => {
      logged.push(String(given[0]))
      return true
    })
  }
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return logged
}

function longAgo(engine: string): string {
  const past: Readonly<Record<string, string>> = {
    sqlite: 'failing_since - 4000000',
    postgres: "failing_since - interval '2 hours'",
  }
  return `update {{webhook_endpoint_health}} set failing_since = ${past[engine] ?? 'failing_since - interval 2 hour'}`
}
