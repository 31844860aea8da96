import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Engine } from '../support/engines.js'
import { encryptionKeys, eventually, fixture, isEvery } from '../support/fixture.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { ok, status } from '../support/receiver.js'

const MINUTES = 60_000

/** What befalls workers. */
export function workerFaults(engine: () => Engine): void {
  describe('faults of workers', () => {
    it('1: killed after the POST and before it was written down: sent again, same id, new timestamp', async () => {
      const { opened, webhooks, receiver, append, jobs, sql } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, maxRetries: 0 })
      receiver.answer = () => undefined
      const child = await startWorkerProcess(opened.address)
      await append(1)
      await receiver.until(1)
      await child.kill()
      receiver.answer = ok
      await sql(`update {{webhook_jobs}} set locked_until = created_at where status = 'processing'`)
      // timestamps are whole seconds
      const begun = Math.floor(Date.now() / 1_000)
      await eventually(() => Math.floor(Date.now() / 1_000) > begun)
      await using _worker = webhooks.run()
      const [job] = await jobs(isEvery('completed', 1))
      const [first, second] = receiver.requests
      expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id'])
      expect(Number(second?.headers['webhook-timestamp'])).toBeGreaterThan(
        Number(first?.headers['webhook-timestamp']),
      )
      const found = await webhooks.deliveries.get(job?.id ?? '')
      expect(found?.deliveries).toMatchObject([
        { succeeded: false, error: expect.stringContaining('not heard of again') },
        { succeeded: true, statusCode: 204 },
      ])
      // what was lost was no attempt of the one that it had
      expect(job).toMatchObject({ attempts: 1, maxAttempts: 1 })
    })

    it('2: killed between append and fan-out: the next worker finds the events in the log', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
      await append(5)
      expect(await webhooks.reconcile({ endpointId: endpoint.id })).toMatchObject({
        events: 5,
        missing: { length: 5 },
      })
      await using _worker = webhooks.run()
      await jobs(isEvery('completed', 5))
      expect(await webhooks.reconcile({ endpointId: endpoint.id })).toEqual({
        events: 5,
        missing: [],
        undelivered: [],
      })
    })

    it('4: a worker that was paused beyond its lease changes nothing any more', async () => {
      const { webhooks, another, receiver, append, jobs, sql } = await fixture(engine(), {
        timeoutMs: 8_000,
      })
      await webhooks.endpoints.create({ url: receiver.url })
      const answers: ((code: number) => void)[] = []
      receiver.answer = (_, response) => void answers.push((code) => void response.writeHead(code).end())
      const paused = webhooks.run()
      await append(1)
      await receiver.until(1)
      // it takes no other job, and waits for its answer
      const over = paused.stop()
      await sql(`update {{webhook_jobs}} set locked_until = created_at where status = 'processing'`)
      await using _second = another().run({ fanOut: false })
      await receiver.until(2)
      // the late answer comes while the other worker's request is on the wire
      answers[0]?.(500)
      await over
      expect(await jobs(() => true)).toMatchObject([{ status: 'processing', attempts: 0 }])
      answers[1]?.(204)
      const [job] = await jobs(isEvery('completed', 1))
      const found = await webhooks.deliveries.get(job?.id ?? '')
      expect(found).toMatchObject({ status: 'completed', attempts: 1 })
      expect(found?.deliveries.map(({ statusCode }) => statusCode)).toEqual([undefined, 204])
    })

    it('5: a lease that a request could outlast is refused', async () => {
      const { opened, webhooks } = await fixture(engine())
      const { createWebhooks } = await import('../../src/index.js')
      expect(() =>
        createWebhooks(opened.store, { encryptionKeys, timeoutMs: 15_000, leaseMs: 15_500 }),
      ).toThrow(expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT', argument: 'leaseMs' }))
      await expect(
        webhooks.endpoints.create({ url: 'http://127.0.0.1:9/', timeoutMs: 9_500 }),
      ).rejects.toMatchObject({ argument: 'timeoutMs' })
    })

    it.each([-10, 10])(
      "8: a worker's clock that is %i minutes off changes neither timestamps nor schedules",
      async (minutes) => {
        const { webhooks, receiver, append, jobs } = await fixture(engine())
        await webhooks.endpoints.create({ url: receiver.url })
        receiver.answer = status(503, { 'retry-after': new Date(Date.now() + 20 * MINUTES).toUTCString() })
        const real = Date.now()
        vi.useFakeTimers({ toFake: ['Date'], now: real + minutes * MINUTES })
        onTestFinished(() => void vi.useRealTimers())
        await using _worker = webhooks.run()
        await append(1)
        const [request] = await receiver.until(1)
        const [job] = await jobs(([each]) => each?.attempts === 1)
        expect(Math.abs(Number(request?.headers['webhook-timestamp']) * 1000 - real)).toBeLessThan(MINUTES)
        const wait = (job?.nextAttempt?.getTime() ?? 0) - (job?.updatedAt.getTime() ?? 0)
        expect(Math.abs(wait - 20 * MINUTES)).toBeLessThan(MINUTES)
      },
    )

    it('23: without the encryption key jobs wait, with an alarm, and no attempt is spent', async () => {
      const { webhooks, another, receiver, append, jobs, alarms, makeDue, sql } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
      const keyless = another({ encryptionKeys: [{ id: 'other', key: 'b'.repeat(64) }] })
      const worker = keyless.run()
      await append(2)
      await eventually(() => alarms.some(({ kind }) => kind === 'key'))
      expect(alarms.find(({ kind }) => kind === 'key')).toMatchObject({
        endpointId: endpoint.id,
        message: expect.stringContaining("'test' is missing"),
      })
      await worker.stop()
      expect(await jobs(() => true)).toMatchObject([
        { status: 'pending', attempts: 0 },
        { status: 'pending', attempts: 0 },
      ])
      expect(await webhooks.endpoints.health(endpoint.id)).toMatchObject({
        pausedReason: expect.stringContaining('missing'),
        consecutiveFailures: 0,
      })
      expect((await webhooks.health()).status).toBe('degraded')
      expect(await sql('select count(*) from {{webhook_deliveries}}')).toMatchObject([{}])
      expect(receiver.requests).toHaveLength(0)

      const wrong = another({ encryptionKeys: [{ id: 'test', key: 'b'.repeat(64) }] })
      const second = wrong.run()
      await makeDue()
      await eventually(() => alarms.some(({ message }) => message.includes('does not open')))
      await second.stop()
      await makeDue()
      await using _worker = webhooks.run()
      expect(await jobs(isEvery('completed', 2))).toMatchObject([{ attempts: 1 }, { attempts: 1 }])
    })

    it('24: what cannot be sent fails at once and for good, and keeps nothing else waiting', async () => {
      const { webhooks, receiver, store, jobs } = await fixture(engine(), {
        maxPayloadBytes: 2_000,
        payload: (event) => {
          if (event.type === 'order.poison') throw new Error('SECRET of the event')
          return { body: JSON.stringify(event.data), contentType: 'application/json' }
        },
      })
      await webhooks.endpoints.create({ url: receiver.url })
      await using _worker = webhooks.run()
      await store.append('a', [
        { type: 'order.poison', data: {} },
        { type: 'order.large', data: 'x'.repeat(2_001) },
        { type: 'order.fine', data: 1 },
      ])
      const all = await jobs(
        (list) => list.length === 3 && list.every(({ status: is }) => is === 'failed' || is === 'completed'),
      )
      const by = (type: string) => all.find(({ eventType }) => eventType === type)
      expect(by('order.poison')).toMatchObject({
        status: 'failed',
        lastError: 'the payload could not be made (Error)',
      })
      expect(by('order.large')).toMatchObject({
        status: 'failed',
        lastError: expect.stringContaining('too large'),
      })
      expect(by('order.fine')).toMatchObject({ status: 'completed' })
      expect((await webhooks.deliveries.deadLetters()).map(({ eventType }) => eventType).toSorted()).toEqual([
        'order.large',
        'order.poison',
      ])
    })

    it('27: an endpoint that is our own ingest ends after so many hops', async () => {
      const { webhooks, receiver, store, jobs } = await fixture(engine(), { maxHops: 3 })
      const { hopMetadata } = await import('../../src/signature/index.js')
      await webhooks.endpoints.create({ url: receiver.url, events: ['loop.*'] })
      receiver.answer = async ({ headers }, response) => {
        await store.append('loop', [{ type: 'loop.again', data: {}, metadata: hopMetadata(headers) }])
        response.writeHead(204).end()
      }
      await using _worker = webhooks.run()
      await store.append('loop', [{ type: 'loop.begun', data: {} }])
      const all = await jobs((list) => list.some(({ status: is }) => is === 'failed'))
      expect(all[0]).toMatchObject({ status: 'failed', lastError: expect.stringContaining('maxHops') })
      expect(receiver.requests.map(({ headers }) => headers['webhook-hops'])).toEqual(['1', '2', '3'])
    })

    it('28: on SIGTERM it claims no more, ends what is on the wire, gives the rest back unspent, and exits', async () => {
      const { opened, webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, maxConcurrency: 2 })
      const answers: (() => void)[] = []
      receiver.answer = (_, response) => void answers.push(() => void response.writeHead(204).end())
      const child = await startWorkerProcess(opened.address)
      await append(6)
      await receiver.until(2)
      const { exited } = await child.terminate()
      await append(1)
      for (const answer of answers) answer()
      expect(await exited).toBe(0)
      const all = await jobs((list) => list.length > 0)
      expect(all.filter(({ status: is }) => is === 'completed')).toHaveLength(2)
      for (const job of all.filter(({ status: is }) => is !== 'completed'))
        expect(job).toMatchObject({ status: 'pending', attempts: 0 })
      expect(receiver.requests).toHaveLength(2)
    })

    it('28: what does not end within its timeout is given up, and sent again by the next worker', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine(), { timeoutMs: 200, leaseMs: 5_000 })
      await webhooks.endpoints.create({ url: receiver.url })
      receiver.answer = () => undefined
      const worker = webhooks.run()
      await append(1)
      await receiver.until(1)
      await worker.stop()
      expect(await jobs(() => true)).toMatchObject([{ status: 'pending', attempts: 1 }])
    })
  })
}
