import { describe, expect, it } from 'vitest'
import type { Engine } from '../support/engines.js'
import { eventually, fixture, isEvery } from '../support/fixture.js'
import type { Fixture } from '../support/fixture.js'
import { status } from '../support/receiver.js'

/** A known history: one job with three attempts (500, 500, 204), two with one (204), one dead letter (500), and one that waits. */
async function knownHistory(engine: Engine): Promise<Fixture & { endpointId: string }> {
  const all = await fixture(engine, { breakerFailures: 100 })
  const { webhooks, receiver, append, jobs, makeDue } = all
  const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, maxRetries: 2 })
  await webhooks.endpoints.create({ url: `${receiver.url}/idle`, events: ['nothing.ever'] })
  await using worker = webhooks.run()
  receiver.answer = status(500)
  await append(1)
  for (const attempts of [1, 2]) {
    await jobs(([job]) => job?.attempts === attempts)
    if (attempts === 2) receiver.answer = status(204)
    await makeDue()
  }
  await jobs(isEvery('completed', 1))
  await append(2)
  await jobs(isEvery('completed', 3))
  receiver.answer = status(500)
  await webhooks.endpoints.update(endpoint.id, { maxRetries: 0 })
  await append(1)
  await jobs((list) => list.some(({ status: is }) => is === 'failed'))
  await worker.stop()
  await append(1)
  await using second = webhooks.run()
  await webhooks.endpoints.disable(endpoint.id)
  await second.stop()
  return { ...all, endpointId: endpoint.id }
}

const numbers = (row: readonly unknown[] | undefined): (string | number)[] =>
  (row ?? []).map((value) => (/^-?\d+(\.\d+)?$/.test(String(value)) ? Number(value) : String(value)))

export function statsCases(engine: () => Engine): void {
  describe('statistics', () => {
    it('count a job once, however many attempts it took, in the view and in the interface', async () => {
      const { webhooks, sql, endpointId } = await knownHistory(engine())
      const [row] = await sql(
        'select total_jobs, completed_jobs, failed_jobs, cancelled_jobs, total_deliveries, successful_deliveries, failed_deliveries ' +
          `from {{webhook_stats}} where endpoint_id = '${endpointId}'`,
      )
      const [total = 0, ...rest] = numbers(row)
      expect(rest).toEqual([3, 1, 0, 6, 3, 3])
      expect([4, 5]).toContain(total)
      const stats = await webhooks.stats()
      expect(stats).toHaveLength(2)
      expect(stats.find((each) => each.endpointId === endpointId)).toMatchObject({
        jobs: { completed: 3, failed: 1 },
        deliveries: { total: 6, successful: 3, failed: 3 },
        recent: { deliveries: 6, successful: 3, failed: 3, p95Ms: expect.any(Number) },
      })
      expect(stats.find((each) => each.endpointId !== endpointId)).toMatchObject({
        jobs: { total: 0 },
        deliveries: { total: 0 },
        recent: { deliveries: 0 },
      })
    })

    it("are right in the documents' own queries: queue, failing endpoints, performance", async () => {
      const { sql, webhooks, endpointId } = await knownHistory(engine())
      // S4.34
      const queue = await sql(
        "select status, count(*), avg(attempts) from {{webhook_jobs}} where status in ('completed', 'failed') group by status order by status",
      )
      expect(
        queue.map(numbers).map(([is, count, average]) => [is, count, Math.round(Number(average) * 100)]),
      ).toEqual([
        ['completed', 3, 167],
        ['failed', 1, 100],
      ])
      // S4.35
      const failing = await sql(
        "select endpoint_id, sum(case when status = 'failed' then 1 else 0 end) from {{webhook_jobs}} group by endpoint_id " +
          "having sum(case when status = 'failed' then 1 else 0 end) > 0",
      )
      expect(failing.map(numbers)).toEqual([[endpointId, 1]])
      // S4.36: an answer that failed has its status, so that failures are counted
      const [performance] = await sql(
        'select count(*), sum(case when status_code >= 200 and status_code < 300 then 1 else 0 end), ' +
          'sum(case when status_code >= 400 then 1 else 0 end) from {{webhook_deliveries}}',
      )
      expect(numbers(performance)).toEqual([6, 3, 3])
      // nearest rank, of durations that are known
      await sql('update {{webhook_deliveries}} set duration_ms = attempt * 10')
      const [stats] = (await webhooks.stats()).filter((each) => each.endpointId === endpointId)
      expect(stats?.recent).toMatchObject({ averageMs: 15, p50Ms: 10, p95Ms: 30, p99Ms: 30 })
    })

    it('of health tell what is the matter', async () => {
      const { webhooks, receiver, append, jobs, sql } = await fixture(engine(), { breakerFailures: 1 })
      expect(await webhooks.health()).toMatchObject({ status: 'ok' })
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
      receiver.answer = status(500)
      await using _worker = webhooks.run()
      await append(1)
      await jobs(([job]) => job?.attempts === 1)
      await eventually(async () => (await webhooks.endpoints.health(endpoint.id)).breaker === 'open')
      const { status: is, checks } = await webhooks.health()
      expect(is).toBe('degraded')
      expect(checks.find(({ name }) => name === 'breakers')).toMatchObject({
        detail: expect.stringContaining('1 endpoints'),
      })
      expect(await webhooks.endpoints.health(endpoint.id)).toMatchObject({
        pending: 1,
        failed: 0,
        failingSince: expect.any(Date),
      })
      await sql('drop view {{webhook_stats}}')
      await expect(webhooks.stats()).rejects.toMatchObject({ code: 'VARVE_MIGRATION' })
    })
  })
}
