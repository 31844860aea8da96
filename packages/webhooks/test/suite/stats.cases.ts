import { describe, expect, it } from 'vitest'
import type { Engine } from '../support/engines.js'
import { eventually, fixture, isEvery } from '../support/fixture.js'
import type { Fixture } from '../support/fixture.js'
import { status } from '../support/receiver.js'

/**
 * A known history: one job with three attempts (500, 500, 204), two with one (204), one dead letter (500); a replay of four, of
 * which two wait, one is being sent and one was cancelled; and an endpoint that nothing was sent to.
 */
async function knownHistory(engine: Engine): Promise<Fixture & { endpointId: string }> {
  const all = await fixture(engine, { breakerFailures: 100 })
  const { webhooks, receiver, append, jobs, makeDue, sql } = all
  const { endpoint } = await webhooks.endpoints.create({ url: receiver.url, maxRetries: 2 })
  await webhooks.endpoints.create({ url: `${receiver.url}/idle`, events: ['nothing.ever'] })
  const worker = webhooks.run()
  receiver.answer = status(500)
  await append(1)
  for (const attempts of [1, 2]) {
    await jobs(([job]) => job?.attempts === attempts)
    if (attempts === 2) receiver.answer = status(204)
    await makeDue()
  }
  await jobs(isEvery('completed', 1))
  await append(2)
  const completed = await jobs(isEvery('completed', 3))
  receiver.answer = status(500)
  await webhooks.endpoints.update(endpoint.id, { maxRetries: 0 })
  await append(1)
  await jobs((list) => list.some(({ status: is }) => is === 'failed'))
  await worker.stop()
  const positions = completed.map(({ position }) => position)
  const range = { from: Math.min(...positions), to: Math.max(...positions) + 1_000 }
  await webhooks.deliveries.replay({ endpointId: endpoint.id, ...range })
  const [cancelled, sent] = await webhooks.deliveries.list({ status: 'pending' })
  await webhooks.deliveries.cancel(cancelled?.id ?? '')
  await sql(`update {{webhook_jobs}} set status = 'processing' where id = '${sent?.id}'`)
  return { ...all, endpointId: endpoint.id }
}

const numbers = (row: readonly unknown[] | undefined): (string | number)[] =>
  (row ?? []).map((value) => (/^-?\d+(\.\d+)?$/.test(String(value)) ? Number(value) : String(value)))

export function statsCases(engine: () => Engine): void {
  describe('statistics', () => {
    it('count a job once, however many attempts it took, in the view and in the interface', async () => {
      const { webhooks, sql, endpointId } = await knownHistory(engine())
      await sql('update {{webhook_deliveries}} set duration_ms = attempt * 10')
      const view = await sql(
        'select total_jobs, pending_jobs, processing_jobs, completed_jobs, failed_jobs, cancelled_jobs, ' +
          'total_deliveries, successful_deliveries, failed_deliveries, avg_duration_ms ' +
          'from {{webhook_stats}} order by total_jobs',
      )
      expect(view.map(numbers)).toEqual([
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 'null'],
        [8, 2, 1, 3, 1, 1, 6, 3, 3, 15],
      ])
      const [last] = await sql(
        `select case when last_delivery_at = (select max(created_at) from {{webhook_deliveries}}) then 1 else 0 end ` +
          `from {{webhook_stats}} where endpoint_id = '${endpointId}'`,
      )
      expect(numbers(last)).toEqual([1])
      const stats = await webhooks.stats()
      expect(stats).toHaveLength(2)
      expect(stats.find((each) => each.endpointId === endpointId)).toMatchObject({
        tenantId: 'default',
        enabled: true,
        jobs: { total: 8, pending: 2, processing: 1, completed: 3, failed: 1, cancelled: 1 },
        deliveries: { total: 6, successful: 3, failed: 3 },
        recent: { deliveries: 6, successful: 3, failed: 3, averageMs: 15, p50Ms: 10, p95Ms: 30, p99Ms: 30 },
      })
      expect(stats.find((each) => each.endpointId !== endpointId)).toMatchObject({
        jobs: { total: 0 },
        deliveries: { total: 0 },
        recent: { deliveries: 0 },
      })
      expect(await webhooks.forTenant('other').stats()).toEqual([])
      expect(await webhooks.allTenants().stats()).toHaveLength(2)
      // what is older than the window is history, and not recent
      await sql(`update {{webhook_deliveries}} set created_at = ${hoursAgo(engine().sql, 2)}`)
      const later = (await webhooks.stats()).find((each) => each.endpointId === endpointId)
      expect(later).toMatchObject({ deliveries: { total: 6 }, recent: { deliveries: 0 } })
      const wide = (await webhooks.stats({ windowMs: 3 * 3_600_000 })).find(
        (each) => each.endpointId === endpointId,
      )
      expect(wide).toMatchObject({ recent: { deliveries: 6, p95Ms: 30 } })
    })

    it('of the queue: how many jobs of each status, the oldest, and attempts on average', async () => {
      const { sql } = await knownHistory(engine())
      const queue = await sql(
        'select status, count(*), avg(attempts), case when min(created_at) is null then 0 else 1 end ' +
          'from {{webhook_jobs}} group by status order by status',
      )
      expect(
        queue
          .map(numbers)
          .map(([is, count, average, oldest]) => [
            is,
            count,
            Math.round(Number(average) * 100) / 100,
            oldest,
          ]),
      ).toEqual([
        ['cancelled', 1, 0, 1],
        ['completed', 3, 1.67, 1],
        ['failed', 1, 1, 1],
        ['pending', 2, 0, 1],
        ['processing', 1, 0, 1],
      ])
    })

    it('of failing endpoints: each with its rate, and none that only waits', async () => {
      const { sql, endpointId } = await knownHistory(engine())
      const failures = "sum(case when status = 'failed' then 1 else 0 end)"
      const failing = await sql(
        `select endpoint_id, ${failures}, count(*), round(100.0 * ${failures} / count(*), 2) ` +
          `from {{webhook_jobs}} group by endpoint_id having ${failures} > 0`,
      )
      expect(failing.map(numbers)).toEqual([[endpointId, 1, 8, 12.5]])
    })

    it('of the performance of an hour: an answer that failed has its status, so that failures are counted', async () => {
      const { sql, endpointId } = await knownHistory(engine())
      await sql('update {{webhook_deliveries}} set duration_ms = attempt * 10')
      const sums =
        'count(*), avg(duration_ms), sum(case when status_code >= 200 and status_code < 300 then 1 else 0 end), ' +
        'sum(case when status_code >= 400 then 1 else 0 end)'
      const performance = await sql(
        `select endpoint_id, ${sums} from {{webhook_deliveries}} ` +
          `where created_at > ${hoursAgo(engine().sql, 1)} group by endpoint_id`,
      )
      expect(performance.map(numbers)).toEqual([[endpointId, 6, 15, 3, 3]])
      if (engine().sql !== 'postgres') return
      // in the very words that other tools have for it
      const [row] = await sql(
        'select percentile_cont(0.95) within group (order by duration_ms), ' +
          'count(*) filter (where status_code >= 400) from {{webhook_deliveries}}',
      )
      expect(numbers(row)).toEqual([27.5, 3])
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

function hoursAgo(dialect: Engine['sql'], hours: number): string {
  const times: Readonly<Record<Engine['sql'], string>> = {
    sqlite: `(unixepoch('subsec') * 1000 - ${hours * 3_600_000})`,
    postgres: `now() - interval '${hours} hours'`,
    mysql: `utc_timestamp(6) - interval ${hours} hour`,
  }
  return times[dialect]
}
