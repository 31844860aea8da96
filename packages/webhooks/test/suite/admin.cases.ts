import { describe, expect, it } from 'vitest'
import type { Engine } from '../support/engines.js'
import { eventually, fixture, isEvery } from '../support/fixture.js'
import { ok, status } from '../support/receiver.js'

export function adminCases(engine: () => Engine): void {
  describe('looking after webhooks', () => {
    it('an endpoint is made, changed, found and removed; what it does not know is refused', async () => {
      const { webhooks, receiver } = await fixture(engine())
      const { endpoint, secret } = await webhooks.endpoints.create({
        url: `${receiver.url}/a`,
        events: ['order.*', 'payment.made'],
        description: 'Grüße ☕',
        customHeaders: { 'X-Key': 'k' },
        maxRetries: 2,
        retry: { kind: 'exponential', baseMs: 10, maxMs: 1_000 },
        rateLimit: 100,
      })
      expect(secret).toMatch(/^whsec_/)
      expect(endpoint).toMatchObject({
        tenantId: 'default',
        events: ['order.*', 'payment.made'],
        description: 'Grüße ☕',
        headerNames: ['x-key'],
        timeoutMs: 2_000,
        maxRetries: 2,
        rateLimit: 100,
        ordering: 'none',
        enabled: true,
      })
      const changed = await webhooks.endpoints.update(endpoint.id, {
        events: ['*'],
        rateLimit: null,
        timeoutMs: 100,
      })
      expect(changed).toMatchObject({ events: ['*'], timeoutMs: 100, url: endpoint.url })
      expect(changed.rateLimit).toBeUndefined()
      expect(await webhooks.endpoints.list()).toEqual([changed])
      for (const wrong of [
        { evnets: [] },
        { events: [] },
        { events: ['a*'] },
        { maxRetries: -1 },
        { url: 'x' },
        { secret: 'whsec_AAAA' },
      ]) {
        const input = { url: receiver.url, ...wrong } as Parameters<typeof webhooks.endpoints.create>[0]
        await expect(webhooks.endpoints.create(input)).rejects.toMatchObject({
          code: 'VARVE_INVALID_ARGUMENT',
        })
      }
      await webhooks.endpoints.delete(endpoint.id)
      await webhooks.endpoints.delete(endpoint.id)
      expect(await webhooks.endpoints.list()).toEqual([])
      await expect(webhooks.endpoints.update(endpoint.id, {})).rejects.toMatchObject({
        argument: 'endpointId',
      })
    })

    it('a tenant sees and gets its own only; an endpoint over all tenants gets everything', async () => {
      const { webhooks, receiver, store } = await fixture(engine())
      const acme = webhooks.forTenant('acme')
      const { endpoint } = await acme.endpoints.create({ url: `${receiver.url}/acme` })
      await webhooks.allTenants().endpoints.create({ url: `${receiver.url}/all` })
      await using _worker = webhooks.run()
      await store.append('a', [{ type: 'order.placed', data: 'ours' }])
      await store.forTenant('acme').append('a', [{ type: 'order.placed', data: 'acme' }])
      await receiver.until(1, '/acme')
      await receiver.until(2, '/all')
      expect(
        receiver.requests.filter(({ path }) => path === '/acme').map((each) => each.json().data),
      ).toEqual(['acme'])
      expect(await webhooks.endpoints.list()).toEqual([])
      expect(await webhooks.endpoints.get(endpoint.id)).toBeUndefined()
      await expect(webhooks.endpoints.rotateSecret(endpoint.id)).rejects.toMatchObject({
        argument: 'endpointId',
      })
      await eventually(async () => (await acme.deliveries.list({ status: 'completed' })).length === 1)
      const [job] = await acme.deliveries.list()
      expect(await webhooks.deliveries.get(job?.id ?? '')).toBeUndefined()
      await expect(webhooks.deliveries.cancel(job?.id ?? '')).rejects.toMatchObject({ argument: 'jobId' })
      expect(await webhooks.allTenants().deliveries.list()).toHaveLength(3)
      expect(() => acme.forTenant('other')).toThrow()
      expect(() => acme.allTenants()).toThrow()
    })

    it('attempts used up make a dead letter, which is retried with as many again', async () => {
      const { webhooks, receiver, append, jobs, makeDue } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, maxRetries: 1 })
      receiver.answer = status(500)
      await using _worker = webhooks.run()
      await append(1)
      await jobs(([job]) => job?.attempts === 1 && job.status === 'pending')
      await makeDue()
      const [dead] = await jobs(isEvery('failed', 1))
      expect(await webhooks.deliveries.deadLetters()).toEqual([dead])
      expect(dead).toMatchObject({ attempts: 2, maxAttempts: 2 })
      receiver.answer = ok
      expect(await webhooks.deliveries.retry(dead?.id ?? '')).toMatchObject({
        status: 'pending',
        maxAttempts: 4,
      })
      const [job] = await jobs(isEvery('completed', 1))
      expect((await webhooks.deliveries.get(job?.id ?? ''))?.deliveries).toHaveLength(3)
      await expect(webhooks.deliveries.retry(job?.id ?? '')).rejects.toMatchObject({ argument: 'jobId' })
      await expect(webhooks.deliveries.retry('no such')).rejects.toMatchObject({ argument: 'jobId' })
    })

    it('a replay is a new generation with ids of its own, and leaves the old one', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, events: ['order.*'] })
      await using _worker = webhooks.run()
      await append(4)
      const first = await jobs(isEvery('completed', 4))
      const positions = first.map(({ position }) => position).toSorted((a, b) => a - b)
      const range = { endpointId: endpoint.id, from: positions[1] ?? 0, to: positions[2] ?? 0 }
      expect(await webhooks.deliveries.replay(range)).toEqual({ generation: 1, jobs: 2 })
      const all = await jobs(isEvery('completed', 6))
      expect(new Set(all.map(({ messageId }) => messageId)).size).toBe(6)
      expect(
        all
          .filter(({ generation }) => generation === 1)
          .map(({ position }) => position)
          .toSorted((a, b) => a - b),
      ).toEqual(positions.slice(1, 3))
      expect(await webhooks.deliveries.replay({ ...range, onlyMissing: true })).toEqual({
        generation: 0,
        jobs: 0,
      })
    })

    it('what an endpoint misses while it is disabled is offered for replay, and nothing is lost', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, events: ['order.*'] })
      await using worker = webhooks.run()
      await append(2)
      await jobs(isEvery('completed', 2))
      await webhooks.endpoints.disable(endpoint.id)
      await append(3)
      await append(1, { type: 'other.thing' })
      await worker.caughtUp()
      const { gap } = await webhooks.endpoints.enable(endpoint.id)
      await append(1)
      await jobs(isEvery('completed', 3))
      expect(gap).toBeDefined()
      expect((await webhooks.reconcile({ endpointId: endpoint.id })).missing).toHaveLength(3)
      expect(
        await webhooks.deliveries.replay({
          endpointId: endpoint.id,
          from: 1,
          to: 1,
          ...gap,
          onlyMissing: true,
        }),
      ).toEqual({
        generation: 0,
        jobs: 3,
      })
      await jobs(isEvery('completed', 6))
      expect(await webhooks.reconcile({ endpointId: endpoint.id })).toEqual({
        events: 6,
        missing: [],
        undelivered: [],
      })
      expect((await webhooks.endpoints.get(endpoint.id))?.gap).toBeUndefined()
    })

    it('an endpoint gets what is appended after it was made, and no older event', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      await append(3)
      await webhooks.endpoints.create({ url: receiver.url })
      await using worker = webhooks.run()
      await append(2)
      await worker.caughtUp()
      await jobs(isEvery('completed', 2))
      expect(new Set(receiver.requests.map((each) => each.json().version))).toEqual(new Set([4, 5]))
    })

    it('a test is sent at once, recorded, and says what came of it', async () => {
      const { webhooks, receiver } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
      expect(await webhooks.endpoints.sendTest(endpoint.id)).toMatchObject({ ok: true, statusCode: 204 })
      receiver.answer = status(418, {}, 'teapot')
      const failed = await webhooks.endpoints.sendTest(endpoint.id)
      expect(failed).toMatchObject({ ok: false, statusCode: 418, error: 'answered 418' })
      expect(await webhooks.deliveries.get(failed.jobId)).toMatchObject({
        status: 'failed',
        eventType: 'webhook.test',
        deliveries: [{ responseBody: 'teapot' }],
      })
      expect(await webhooks.endpoints.health(endpoint.id)).toMatchObject({
        breaker: 'closed',
        consecutiveFailures: 0,
      })
    })

    it('two workers never have the same job, nor an endpoint more requests than it may', async () => {
      const { webhooks, another, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, maxConcurrency: 6 })
      const second = another()
      await using _one = webhooks.run({ concurrency: 8 })
      await using _two = second.run({ concurrency: 8 })
      for (let n = 0; n < 10; n++) await append(20, { stream: `s-${n}` })
      await jobs(isEvery('completed', 200))
      expect(receiver.requests).toHaveLength(200)
      expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-id'])).size).toBe(200)
      expect(receiver.open.most).toBeLessThanOrEqual(6)
    })

    it('a breaker opens after failures in a row, lets one request through when its time has come, and closes again', async () => {
      const { webhooks, receiver, append, jobs, makeDue, sql } = await fixture(engine(), {
        breakerFailures: 3,
      })
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, maxConcurrency: 1 })
      receiver.answer = status(500)
      await using worker = webhooks.run()
      await append(8)
      await worker.caughtUp()
      await eventually(async () => (await webhooks.endpoints.health(endpoint.id)).breaker === 'open')
      expect(await webhooks.endpoints.health(endpoint.id)).toMatchObject({
        consecutiveFailures: 3,
        pausedUntil: expect.any(Date),
      })
      expect(receiver.requests).toHaveLength(3)
      // its time has come; the one request fails
      await makeDue()
      await receiver.until(4)
      await eventually(async () => (await webhooks.endpoints.health(endpoint.id)).consecutiveFailures === 4)
      expect(await webhooks.endpoints.health(endpoint.id)).toMatchObject({ breaker: 'open' })
      receiver.answer = ok
      await sql('update {{webhook_endpoint_health}} set not_before = null')
      await jobs((list) => list.filter(({ status: is }) => is === 'completed').length >= 4)
      expect(await webhooks.endpoints.health(endpoint.id)).toMatchObject({
        breaker: 'closed',
        consecutiveFailures: 0,
      })
    })

    it('a rate limit holds over all workers', async () => {
      const { webhooks, another, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, rateLimit: 20 })
      await using _one = webhooks.run()
      await using _two = another().run()
      await append(40)
      await jobs(isEvery('completed', 40))
      const [first, last] = [receiver.requests[0], receiver.requests.at(-1)]
      // a full bucket of 20, and then 20 a second
      expect((last?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(900)
      const times = receiver.requests.map(({ at }) => at)
      const most = Math.max(
        ...times.map((from) => times.filter((at) => at >= from && at < from + 500).length),
      )
      expect(most).toBeLessThanOrEqual(31)
    })

    it('changes of an endpoint reach what waits: its address, its headers, its timeout', async () => {
      const { webhooks, receiver, append, jobs, makeDue } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({
        url: `${receiver.url}/old`,
        customHeaders: { 'x-v': '1' },
      })
      receiver.answer = status(500)
      await using _worker = webhooks.run()
      await append(1)
      await jobs(([job]) => job?.attempts === 1)
      await webhooks.endpoints.update(endpoint.id, {
        url: `${receiver.url}/new`,
        customHeaders: { 'x-v': '2' },
      })
      receiver.answer = ok
      await makeDue()
      await jobs(isEvery('completed', 1))
      expect(receiver.requests.map(({ path, headers }) => [path, headers['x-v']])).toEqual([
        ['/old', '1'],
        ['/new', '2'],
      ])
    })

    it('migrations run once, from any number of processes, and are listed', async () => {
      const { webhooks, another } = await fixture(engine())
      await Promise.all([webhooks, another(), another()].map((each) => each.migrate()))
      expect(await webhooks.migrations()).toMatchObject([
        { name: 'webhooks/0001_webhooks', state: 'applied' },
      ])
    })
  })
}
