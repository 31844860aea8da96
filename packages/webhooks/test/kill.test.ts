import { CHAOS_MS, CHAOS_TIMEOUT_MS, Fleet, runChaos } from '@varve/test-servers'
import { describe, expect, it } from 'vitest'
import type { EndpointStats } from '../src/index.js'
import { verifyWebhook } from '../src/signature/index.js'
import { engines } from './support/engines.js'
import { eventually, fixture } from './support/fixture.js'
import { useEngine } from './support/use-engine.js'
import { workerArguments, workerScript } from './support/worker-process.js'

describe.each(Object.keys(engines))('workers on %s', (name) => {
  const engine = useEngine(name)

  it(
    'killed at random while events are appended: each event is delivered, and the log proves it',
    async () => {
      // a machine that is busy may answer late, which is not what this is about: tried again soon
      const workerOptions = { timeoutMs: 500, leaseMs: 1_600, breakerCooldownMs: 200 }
      const again = { retry: { kind: 'fixed', delayMs: 200 }, maxRetries: 100 } as const
      const { opened, webhooks, receiver, store } = await fixture(engine(), workerOptions)
      const { endpoint, secret } = await webhooks.endpoints.create({
        url: receiver.url,
        events: ['order.*'],
        maxConcurrency: 16,
        ...again,
      })
      const ordered = await webhooks.endpoints.create({
        url: `${receiver.url}/ordered`,
        events: ['order.*'],
        ordering: 'stream',
        ...again,
      })
      const fleet = new Fleet(workerScript, workerArguments(opened.address, workerOptions))
      const appended = await runChaos({
        fleet,
        processes: 3,
        forMs: CHAOS_MS,
        writers: 2,
        append: (n) => store.append(`s-${n % 17}`, [{ type: 'order.placed', data: n }]),
      })
      await fleet.killAll()
      await using worker = webhooks.run()
      await worker.caughtUp()
      const isOver = (stats: EndpointStats[]): boolean =>
        stats.every(({ jobs }) => jobs.total === appended && jobs.pending + jobs.processing === 0)
      await eventually(async () => isOver(await webhooks.stats()))

      expect(appended).toBeGreaterThan(50)
      expect(fleet.killed).toBeGreaterThan(2)
      for (const { id } of [endpoint, ordered.endpoint]) {
        expect(await webhooks.reconcile({ endpointId: id })).toEqual({
          events: appended,
          missing: [],
          undelivered: [],
        })
      }
      // what the receiver saw, whatever the rows say
      const seen = new Map<string, Set<string>>()
      for (const request of receiver.requests.filter(({ path }) => path === '/')) {
        // by this machine's clock, of some seconds ago
        const { id } = verifyWebhook({ ...request, secrets: secret, toleranceSeconds: 300 })
        const event = request.json().id
        seen.set(event, (seen.get(event) ?? new Set()).add(id))
      }
      expect(seen.size).toBe(appended)
      expect([...seen.values()].every((ids) => ids.size === 1)).toBe(true)
      // each event of a stream for the first time in its order
      const versions = new Map<string, number>()
      for (const request of receiver.requests.filter(({ path }) => path === '/ordered')) {
        const { streamId, version } = request.json()
        const last = versions.get(streamId) ?? 0
        expect(version).toBeLessThanOrEqual(last + 1)
        versions.set(streamId, Math.max(last, version))
      }
      expect(fleet.output).toBe('')
    },
    // two endpoints, and a backlog to send after the last kill
    CHAOS_TIMEOUT_MS + 2 * CHAOS_MS,
  )
})
