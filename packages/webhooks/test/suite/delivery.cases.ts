import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { describe, expect, it } from 'vitest'
import { verifyWebhook } from '../../src/signature/index.js'
import type { Engine } from '../support/engines.js'
import { fixture, isEvery } from '../support/fixture.js'
import { status } from '../support/receiver.js'

export function deliveryCases(engine: () => Engine): void {
  describe('deliveries', () => {
    it('send each matching event once, signed so that three implementations accept it', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine())
      const { endpoint, secret } = await webhooks.endpoints.create({
        url: `${receiver.url}/hooks`,
        events: ['order.*'],
      })
      await using _worker = webhooks.run()
      const ids = await append(3)
      await append(1, { type: 'orders.other' })
      await append(1, { type: 'order' })
      const requests = await receiver.until(3)
      const all = await jobs(isEvery('completed', 3))

      expect(requests.map((each) => each.json().id).toSorted()).toEqual(ids.toSorted())
      for (const { headers, body } of requests) {
        expect(headers['content-type']).toBe('application/json')
        const verified = verifyWebhook({ headers, body, secrets: secret })
        expect(all.map(({ messageId }) => messageId)).toContain(verified.id)
        const plain = headers as Record<string, string>
        expect(new Webhook(secret).verify(body, plain)).toMatchObject({ type: 'order.placed' })
        new SvixWebhook(secret).verify(body, plain)
      }
      const [first] = all
      const job = await webhooks.deliveries.get(first?.id ?? '')
      expect(job).toMatchObject({ status: 'completed', attempts: 1, endpointId: endpoint.id, generation: 0 })
      expect(job?.deliveries).toMatchObject([{ attempt: 1, succeeded: true, statusCode: 204 }])
      expect(receiver.requests).toHaveLength(3)
    })

    it('are tried again under the same id and a fresh signature until 2xx, then recorded attempt by attempt', async () => {
      const { webhooks, receiver, append, jobs, makeDue } = await fixture(engine())
      const { secret } = await webhooks.endpoints.create({ url: receiver.url })
      receiver.answer = status(500, {}, 'no luck')
      await using _worker = webhooks.run()
      await append(1)
      const [failed] = await jobs(([job]) => job?.attempts === 1 && job.status === 'pending')
      expect(failed).toMatchObject({ lastStatusCode: 500, lastError: 'answered 500' })
      const delay = (failed?.nextAttempt?.getTime() ?? 0) - (failed?.updatedAt.getTime() ?? 0)
      expect(delay).toBeGreaterThanOrEqual(4_999)
      expect(delay).toBeLessThanOrEqual(5_501)

      receiver.answer = status(200, {}, 'fine')
      await makeDue()
      const [job] = await jobs(isEvery('completed', 1))
      const [one, two] = receiver.requests
      expect(one?.headers['webhook-id']).toBe(two?.headers['webhook-id'])
      for (const each of receiver.requests) verifyWebhook({ ...each, secrets: secret })
      const { deliveries = [] } = (await webhooks.deliveries.get(job?.id ?? '')) ?? {}
      expect(deliveries).toMatchObject([
        { attempt: 1, succeeded: false, statusCode: 500, responseBody: 'no luck', error: 'answered 500' },
        { attempt: 2, succeeded: true, statusCode: 200, responseBody: 'fine' },
      ])
    })
  })
}
