import { SIZES_TIMEOUT_MS, TORTURE } from '@varve/test-servers'
import { describe, expect, it } from 'vitest'
import { sqlOf } from '@varve/sql'
import type { Engine } from '../support/engines.js'
import { eventually, fixture, isEvery } from '../support/fixture.js'
import { holdAnswers, ok, status } from '../support/receiver.js'

/** What befalls the database, or goes on in it. */
export function databaseFaults(engine: () => Engine): void {
  describe('faults of the database', () => {
    it('3: two appends that commit out of order are both sent', async () => {
      const { opened, webhooks, receiver, store, jobs } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
      await using worker = webhooks.run()
      const other = opened.another()
      let second: Promise<unknown> = Promise.resolve()
      await store.transaction(async (tx) => {
        await tx.append('first', [{ type: 'order.placed', data: {} }])
        second = other.append('second', [{ type: 'order.placed', data: {} }])
        // elsewhere than on SQLite it commits before the first one does, and is looked at meanwhile
        if (engine().sql === 'postgres') {
          await second
          for (let look = 0; look < 5; look++) await other.settledPosition()
        }
      })
      await second
      await worker.caughtUp()
      await jobs(isEvery('completed', 2))
      expect(await webhooks.reconcile({ endpointId: endpoint.id })).toEqual({
        events: 2,
        missing: [],
        undelivered: [],
      })
    })

    it('25: a history that cannot be written after a 2xx costs the record, with an alarm, and no second request', async () => {
      const { webhooks, receiver, append, jobs, sql, alarms } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url })
      await sql(refuseHistoryOf(engine().sql, 'order.unrecorded'))
      await using _worker = webhooks.run()
      await append(1, { type: 'order.unrecorded' })
      await append(3)
      await jobs(isEvery('completed', 4))
      await eventually(() => alarms.some(({ kind }) => kind === 'history'))
      const recorded = await sql('select event_type from {{webhook_deliveries}}')
      expect(recorded).toEqual([['order.placed'], ['order.placed'], ['order.placed']])
      expect(receiver.requests).toHaveLength(4)
    })

    it('29: a lock that somebody else holds, and deadlocks, delay what is written down, and lose nothing', async () => {
      const { opened, webhooks, receiver, append, jobs } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, retry: { kind: 'fixed', delayMs: 3_600_000 } })
      await using _worker = webhooks.run()
      const holder = opened.another()
      const { driver, dialect } = sqlOf(holder)
      const [health, table] = [dialect.table('webhook_endpoint_health'), dialect.table('webhook_jobs')]
      const answer = holdAnswers(receiver, 500)
      await append(1)
      await receiver.until(1)
      // the worker takes the job first and the endpoint second; this goes the other way round
      const crossing = driver
        .transaction(async (session) => {
          await session.query(`update ${health} set tokens = tokens`)
          answer()
          if (engine().sql !== 'sqlite') await jobIsLocked(driver, table)
          await session.query(`update ${table} set lost = lost`)
        })
        .catch(() => undefined)
      await crossing
      const [job] = await jobs(([each]) => each?.status === 'pending' && each.attempts === 1)
      expect((await webhooks.deliveries.get(job?.id ?? ''))?.deliveries).toHaveLength(1)
      expect(receiver.requests).toHaveLength(1)
    })

    it(
      '30: old history is deleted while jobs are claimed, and nothing waits for it',
      { timeout: SIZES_TIMEOUT_MS },
      async () => {
        const thousands = TORTURE ? 1_000 : 5
        const { webhooks, receiver, append, jobs, sql } = await fixture(engine())
        await webhooks.endpoints.create({ url: receiver.url })
        await using _worker = webhooks.run()
        await append(1)
        await jobs(isEvery('completed', 1))
        await sql(manyOldDeliveries(engine().sql, thousands))
        const [purged] = await Promise.all([
          webhooks.deliveries.purge({ olderThanMs: 86_400_000, batchSize: 500 }),
          append(100).then(() => jobs(isEvery('completed', 101))),
        ])
        expect(purged.deliveries).toBe(thousands * 1_000)
        expect(Number((await sql('select count(*) from {{webhook_deliveries}}'))[0]?.[0])).toBe(101)
        expect(receiver.requests).toHaveLength(101)
        // jobs that are done go when their attempts are gone; others stay
        receiver.answer = status(500)
        await append(1)
        await jobs((list) => list.some(({ attempts, status: is }) => is === 'pending' && attempts === 1))
        receiver.answer = ok
        expect(await webhooks.deliveries.purge({ olderThanMs: 0 })).toEqual({ deliveries: 102, jobs: 101 })
        expect(await jobs(() => true)).toMatchObject([{ status: 'pending' }])
      },
    )
  })
}

/** Waits until the worker has locked its job. */
async function jobIsLocked(
  driver: { query: (text: string) => Promise<unknown[]> },
  jobs: string,
): Promise<void> {
  await eventually(
    async () => (await driver.query(`select id from ${jobs} for update skip locked`)).length === 0,
  )
}

function refuseHistoryOf(engine: string, type: string): string {
  if (engine !== 'sqlite')
    return `alter table {{webhook_deliveries}} add constraint refused check (event_type <> '${type}')`
  return (
    `create trigger refused before insert on {{webhook_deliveries}} when new.event_type = '${type}' ` +
    `begin select raise(abort, 'refused'); end`
  )
}

function manyOldDeliveries(engine: string, thousands: number): string {
  const id: Readonly<Record<string, string>> = {
    sqlite: `substr(d.id, 1, 24) || printf('%012d', n)`,
    postgres: `(substr(d.id::text, 1, 24) || lpad(n::text, 12, '0'))::uuid`,
  }
  const numbers: Readonly<Record<string, string>> = {
    postgres: `generate_series(1, ${thousands * 1_000}) as numbers (n)`,
  }
  // no more than a thousand rounds are allowed there
  const recursive =
    '(with recursive few (n) as (select 1 union all select n + 1 from few where n < 1000) ' +
    'select few.n + 1000 * (more.n - 1) as n from few cross join ' +
    `(select n from few where n <= ${thousands}) more) numbers`
  const old: Readonly<Record<string, string>> = {
    sqlite: 'd.created_at - 200000000',
    postgres: "d.created_at - interval '3 days'",
  }
  return (
    `insert into {{webhook_deliveries}} (id, job_id, endpoint_id, tenant_id, event_id, event_type, attempt, succeeded, duration_ms, created_at) ` +
    `select ${id[engine] ?? `concat(substr(d.id, 1, 24), lpad(n, 12, '0'))`}, d.job_id, d.endpoint_id, d.tenant_id, d.event_id, d.event_type, ` +
    `1, d.succeeded, 1, ${old[engine] ?? 'd.created_at - interval 3 day'} from {{webhook_deliveries}} d cross join ${numbers[engine] ?? recursive}`
  )
}
