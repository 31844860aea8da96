import { describe, expect, it } from 'vitest'
import type { Engine } from '../support/engines.js'
import { eventually, fixture, isEvery } from '../support/fixture.js'
import { status } from '../support/receiver.js'

export function orderingCases(engine: () => Engine): void {
  describe('ordering by stream', () => {
    it('sends the events of a stream one after the other, and streams beside each other', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, ordering: 'stream' })
      const open = new Map<string, number>()
      let most = 0
      receiver.answer = (request, response) => {
        const { streamId } = request.json()
        open.set(streamId, (open.get(streamId) ?? 0) + 1)
        most = Math.max(most, open.get(streamId) ?? 0)
        setImmediate(() => {
          open.set(streamId, (open.get(streamId) ?? 0) - 1)
          response.writeHead(204).end()
        })
      }
      await using _worker = webhooks.run()
      await Promise.all(['a', 'b', 'c'].map((stream) => append(15, { stream })))
      for (let more = 0; more < 5; more++) await append(1, { stream: 'a', first: 16 + more })
      await jobs(isEvery('completed', 50))
      expect(most).toBe(1)
      for (const stream of ['a', 'b', 'c']) {
        const versions = receiver.requests
          .map((each) => each.json())
          .filter(({ streamId }) => streamId === stream)
        expect(versions.map(({ version }) => version)).toEqual(
          Array.from({ length: stream === 'a' ? 20 : 15 }, (_, n) => n + 1),
        )
      }
    })

    it('a failing head blocks its own stream only, through its retries and when it has failed for good', async () => {
      const { webhooks, receiver, append, jobs, makeDue } = await fixture(engine(), { breakerFailures: 100 })
      await webhooks.endpoints.create({ url: receiver.url, ordering: 'stream', maxRetries: 1 })
      receiver.answer = (request, response) => {
        const { streamId, version } = request.json()
        response.writeHead(streamId === 'bad' && version === 1 ? 500 : 204).end()
      }
      await using _worker = webhooks.run()
      await append(3, { stream: 'bad' })
      await append(3, { stream: 'good' })
      await jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 3)
      await makeDue()
      const all = await jobs((list) => list.some(({ status: is }) => is === 'failed'))
      await append(1, { stream: 'bad' })
      const sent = (): string[] =>
        receiver.requests.map((each) => each.json()).map(({ streamId, version }) => `${streamId} ${version}`)
      expect(sent().filter((each) => each.startsWith('bad'))).toEqual(['bad 1', 'bad 1'])

      // given up by hand, it lets the others go, in their order
      await webhooks.deliveries.cancel(all.find(({ status: is }) => is === 'failed')?.id ?? '')
      await jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 6)
      expect(sent().filter((each) => each.startsWith('bad'))).toEqual([
        'bad 1',
        'bad 1',
        'bad 2',
        'bad 3',
        'bad 4',
      ])
    })

    it('retried by hand, a failed head goes first, and then the others', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, ordering: 'stream', maxRetries: 0 })
      receiver.answer = status(500)
      await using _worker = webhooks.run()
      await append(3, { stream: 'bad' })
      const all = await jobs((list) => list.some(({ status: is }) => is === 'failed'))
      receiver.answer = status(204)
      await webhooks.deliveries.retry(all.find(({ status: is }) => is === 'failed')?.id ?? '')
      await jobs(isEvery('completed', 3))
      expect(receiver.requests.map((each) => each.json().version)).toEqual([1, 1, 2, 3])
    })

    it("with onExhausted 'skip' a head that has failed for good becomes a dead letter, and the stream goes on", async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({
        url: receiver.url,
        ordering: 'stream',
        onExhausted: 'skip',
        maxRetries: 0,
      })
      receiver.answer = (request, response) =>
        void response.writeHead(request.json().version === 1 ? 500 : 204).end()
      await using _worker = webhooks.run()
      await append(3)
      await jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 2)
      expect(receiver.requests.map((each) => each.json().version)).toEqual([1, 2, 3])
      expect(await webhooks.deliveries.deadLetters()).toMatchObject([{ attempts: 1 }])
    })

    it('keeps tenants apart that call their streams the same', async () => {
      const { webhooks, receiver, store } = await fixture(engine())
      await webhooks.allTenants().endpoints.create({ url: receiver.url, ordering: 'stream', maxRetries: 0 })
      receiver.answer = (request, response) => {
        response
          .writeHead(
            (JSON.parse(request.body.toString()) as { tenantId: string }).tenantId === 'bad' ? 500 : 204,
          )
          .end()
      }
      await using _worker = webhooks.run()
      for (const tenant of ['bad', 'good']) {
        await store.forTenant(tenant).append(
          's',
          [1, 2].map((data) => ({ type: 'order.placed', data })),
        )
      }
      const everywhere = webhooks.allTenants().deliveries
      await eventually(async () => (await everywhere.list({ status: 'completed' })).length === 2)
      await eventually(async () => (await everywhere.list({ status: 'failed' })).length === 1)
      expect(await everywhere.list({ status: 'pending' })).toMatchObject([{ tenantId: 'bad', attempts: 0 }])
      expect(receiver.requests).toHaveLength(3)
    })
  })
}
