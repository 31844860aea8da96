import { CHAOS_MS, CHAOS_TIMEOUT_MS, Fleet, runChaos } from '@varve/test-servers'
import { describe, expect, it } from 'vitest'
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
      const { opened, webhooks, receiver, store } = await fixture(engine(), {
        timeoutMs: 500,
        leaseMs: 1_600,
      })
      const { endpoint, secret } = await webhooks.endpoints.create({
        url: receiver.url,
        events: ['order.*'],
        maxConcurrency: 16,
      })
      const ordered = await webhooks.endpoints.create({
        url: `${receiver.url}/ordered`,
        events: ['order.*'],
        ordering: 'stream',
      })
      const workerOptions = { timeoutMs: 500, leaseMs: 1_600 }
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
      const undelivered = async (endpointId: string): Promise<number> =>
        (await webhooks.reconcile({ endpointId })).undelivered.length
      await eventually(
        async () => (await undelivered(endpoint.id)) === 0 && (await undelivered(ordered.endpoint.id)) === 0,
      )

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
    CHAOS_TIMEOUT_MS,
  )
})
