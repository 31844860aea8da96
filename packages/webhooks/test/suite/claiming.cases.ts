import { describe, expect, it } from 'vitest'
import { FAN_OUT } from '../../src/fan-out/fan-out.js'
import type { Engine } from '../support/engines.js'
import { eventually, fixture, isEvery } from '../support/fixture.js'
import { holdAnswers } from '../support/receiver.js'

/** Whose a job is, and for how long. */
export function claimingCases(engine: () => Engine): void {
  describe('jobs and their claims', () => {
    it('are made once for an event, however often the log is gone through; the database itself refuses a second one', async () => {
      const { webhooks, store, receiver, append, jobs, sql } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url })
      await using worker = webhooks.run()
      await append(3)
      const [first] = await jobs(isEvery('completed', 3))
      await store.projections.rebuild(FAN_OUT)
      await append(1)
      await worker.caughtUp()
      await jobs(isEvery('completed', 4))
      expect(receiver.requests).toHaveLength(4)
      await expect(sql(`update {{webhook_jobs}} set event_id = '${first?.eventId}'`)).rejects.toThrow(
        /webhook_jobs|unique|duplicate/i,
      )
    })

    it('are renewed while a request is on the wire', async () => {
      const { webhooks, receiver, append, jobs, sql, alarms } = await fixture(engine(), {
        timeoutMs: 5_000,
        leaseMs: 6_000,
      })
      await webhooks.endpoints.create({ url: receiver.url })
      const answer = holdAnswers(receiver)
      await using _worker = webhooks.run()
      await append(1)
      await receiver.until(1)
      const lease = async (): Promise<string> =>
        String((await sql('select locked_until from {{webhook_jobs}}'))[0]?.[0])
      const atFirst = await lease()
      await eventually(async () => (await lease()) !== atFirst)
      answer()
      expect(await jobs(isEvery('completed', 1))).toMatchObject([{ attempts: 1 }])
      expect(receiver.requests).toHaveLength(1)
      expect(alarms).toEqual([])
    })

    it('leave everything unlocked while a request is on the wire', async () => {
      const { opened, webhooks, receiver, append, jobs, sql } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url })
      const answer = holdAnswers(receiver)
      await using _worker = webhooks.run()
      await append(1)
      await receiver.until(1)
      // whoever held a lock would keep these waiting until the request has ended
      for (const table of ['jobs', 'endpoint_health', 'endpoints', 'secrets', 'state'])
        await sql(`delete from {{webhook_${table}}} where 1 = 0`)
      await sql('update {{webhook_jobs}} set lost = lost')
      await sql('update {{webhook_endpoint_health}} set tokens = tokens')
      await sql('update {{webhook_endpoints}} set generation = generation')
      await opened.another().append('elsewhere', [{ type: 'other.thing', data: {} }])
      expect(await jobs((list) => list.length > 0)).toContainEqual(
        expect.objectContaining({ status: 'processing', attempts: 0 }),
      )
      answer()
      receiver.answer = (_, response) => void response.writeHead(204).end()
      await jobs(isEvery('completed', 2))
    })

    it('take the place of one that is done at once, whatever the others are waiting for', async () => {
      const { webhooks, receiver, append, jobs } = await fixture(engine(), { timeoutMs: 8_000 })
      await webhooks.endpoints.create({ url: receiver.url })
      let answer: (() => void) | undefined
      receiver.answer = (request, response) => {
        const end = (): void => void response.writeHead(204).end()
        if (request.json().version === 1) answer = end
        else end()
      }
      await using _worker = webhooks.run({ concurrency: 2 })
      await append(40)
      const all = await jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 39)
      expect(all.filter(({ status: is }) => is === 'processing')).toHaveLength(1)
      answer?.()
      await jobs(isEvery('completed', 40))
    })
  })
}
