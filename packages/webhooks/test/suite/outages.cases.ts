import { sqlOf } from '@varve/sql'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../support/engines.js'
import { eventually, fixture, isEvery } from '../support/fixture.js'
import { holdAnswers } from '../support/receiver.js'

/** For engines with a server, which may be away. */
export function outageCases(engine: () => Engine): void {
  describe('outages of the server', () => {
    it('6: gone while a request is on the wire: tried again with pauses, and resumed by itself', async () => {
      const { opened, webhooks, receiver, append, jobs, alarms } = await fixture(engine(), { proxied: true })
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
      const answer = holdAnswers(receiver)
      await using _worker = webhooks.run()
      await append(1)
      await receiver.until(1)
      await opened.proxy?.refuse()
      opened.proxy?.dropConnections()
      answer()
      await eventually(() => alarms.some(({ kind }) => kind === 'database'))
      // pauses, not a loop: an alarm for each that began to fail, however often it tried
      expect(alarms.filter(({ kind }) => kind === 'database').length).toBeLessThan(6)
      await opened.proxy?.accept()
      const direct = opened.another()
      await direct.lastPosition()
      const [job] = await jobs(isEvery('completed', 1))
      expect(job).toMatchObject({ attempts: 1 })
      expect(receiver.requests).toHaveLength(1)
      receiver.answer = (_, response) => void response.writeHead(204).end()
      await append(1)
      await jobs(isEvery('completed', 2))
      expect(await webhooks.reconcile({ endpointId: endpoint.id })).toEqual({
        events: 2,
        missing: [],
        undelivered: [],
      })
    })

    it('7: when the connection that listens is silent, or no word is given of an append, it costs time, and no event', async () => {
      const { opened, webhooks, receiver, jobs } = await fixture(engine(), { proxied: true })
      await webhooks.endpoints.create({ url: receiver.url })
      let swallowed = 0
      // of NOTIFY; the other engines have no such thing
      opened.proxy?.swallow((received) => {
        const notification = received[0] === 'A'.charCodeAt(0) && received.includes('varve_')
        if (notification) swallowed++
        return notification
      })
      await using worker = webhooks.run()
      await worker.caughtUp()
      const other = opened.another()
      for (let n = 1; n <= 3; n++) {
        await other.append('a', [{ type: 'order.placed', data: n }])
        await jobs(isEvery('completed', n))
      }
      if (engine().sql === 'postgres') expect(swallowed).toBeGreaterThan(0)
      // committed on a connection of somebody else's: no store knows of it, nobody is told
      for (let n = 4; n <= 6; n++) {
        await sqlOf(other).driver.transaction(async ({ client }) => {
          await other.using(client).append('a', [{ type: 'order.placed', data: n }])
        })
        await jobs(isEvery('completed', n))
      }
      expect(receiver.requests.map((each) => each.json().version)).toEqual([1, 2, 3, 4, 5, 6])
    })
  })
}
