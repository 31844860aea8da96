import { sqlOf } from '@varve/sql'
import { describe, expect, it, vi } from 'vitest'
import type { Engine } from '../support/engines.js'
import { fixture, isEvery } from '../support/fixture.js'
import type { Fixture } from '../support/fixture.js'
import { status } from '../support/receiver.js'

/** Jobs that nobody would ever come back to. */
export function leftBehindCases(engine: () => Engine): void {
  describe('nothing is left behind', () => {
    /** A stream whose first event has failed for good, and two more that wait behind it. */
    const blocked = async ({ webhooks, receiver, append, jobs }: Fixture) => {
      const { endpoint } = await webhooks.endpoints.create({
        url: receiver.url,
        ordering: 'stream',
        maxRetries: 0,
      })
      receiver.answer = status(500)
      const worker = webhooks.run()
      await append(3)
      const all = await jobs((list) => list.length === 3 && list.some(({ status: is }) => is === 'failed'))
      await worker.stop()
      receiver.answer = status(204)
      return { endpoint, failed: all.find(({ status: is }) => is === 'failed')?.id ?? '' }
    }

    it('of a gap whose replay breaks off', async () => {
      const { webhooks, store, receiver, append } = await fixture(engine())
      const { endpoint } = await webhooks.endpoints.create({ url: receiver.url })
      await webhooks.endpoints.disable(endpoint.id)
      await append(2)
      await using worker = webhooks.run()
      await worker.caughtUp()
      const { gap } = await webhooks.endpoints.enable(endpoint.id)
      expect(gap).toBeDefined()
      const replay = () =>
        webhooks.deliveries.replay({ endpointId: endpoint.id, from: 1, to: 1_000, onlyMissing: true })
      const reading = vi.spyOn(store, 'readAll').mockImplementationOnce(() => {
        throw new Error('on purpose')
      })
      await expect(replay()).rejects.toThrow('on purpose')
      reading.mockRestore()
      expect((await webhooks.endpoints.get(endpoint.id))?.gap).toEqual(gap)
      expect(await replay()).toMatchObject({ jobs: 2 })
      expect((await webhooks.endpoints.get(endpoint.id))?.gap).toBeUndefined()
    })

    it("behind the head of a stream that takes its workers down, with onExhausted 'skip'", async () => {
      const f = await fixture(engine())
      const { endpoint, failed } = await blocked(f)
      await f.webhooks.endpoints.update(endpoint.id, { onExhausted: 'skip' })
      // nobody has been heard of again for the tenth time
      await f.sql(
        `update {{webhook_jobs}} set next_attempt = null, status = case when id = '${failed}' then 'processing' else 'pending' end`,
      )
      await f.sql(
        `update {{webhook_jobs}} set lost = 9, locked_until = created_at, locked_by = 'gone' where id = '${failed}'`,
      )
      await using _worker = f.another().run()
      await f.jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 2)
      expect((await f.webhooks.deliveries.get(failed))?.status).toBe('failed')
    })

    it("behind a head that has failed for good, when its endpoint comes to 'skip'", async () => {
      const f = await fixture(engine())
      const { endpoint } = await blocked(f)
      await f.webhooks.endpoints.update(endpoint.id, { onExhausted: 'skip' })
      await using _worker = f.webhooks.run()
      await f.jobs((list) => list.filter(({ status: is }) => is === 'completed').length === 2)
      expect(f.receiver.requests.map((each) => each.json().version)).toEqual([1, 2, 3])
    })

    it('behind dead letters that are purged', async () => {
      const f = await fixture(engine())
      const { failed } = await blocked(f)
      const purge = () => f.webhooks.deliveries.purge({ olderThanMs: 0, failed: true })
      const age = () =>
        f.sql(
          `update {{webhook_jobs}} set id = '0190${failed.slice(4)}', updated_at = created_at where id = '${failed}'`,
        )
      await age()
      await f.sql('delete from {{webhook_deliveries}}')
      expect((await purge()).jobs).toBe(0)
      await f.webhooks.deliveries.retry(`0190${failed.slice(4)}`)
      await using _worker = f.webhooks.run()
      await f.jobs(isEvery('completed', 3))
    })

    it('that is retried while it is purged', async () => {
      const { webhooks, store, receiver, append, jobs, sql } = await fixture(engine())
      await webhooks.endpoints.create({ url: receiver.url, maxRetries: 0 })
      receiver.answer = status(500)
      await using _worker = webhooks.run()
      await append(1)
      const [job] = await jobs(isEvery('failed', 1))
      const id = `0190${job?.id.slice(4)}`
      await sql(`update {{webhook_jobs}} set id = '${id}'`)
      await sql('delete from {{webhook_deliveries}}')
      receiver.answer = status(204)
      const { driver } = sqlOf(store)
      const query = driver.query.bind(driver)
      let retried = false
      const between = vi.spyOn(driver, 'query').mockImplementation(async (text, ...rest) => {
        if (!retried && /^delete .*webhook_jobs/.test(text)) {
          retried = true
          await webhooks.deliveries.retry(id)
        }
        return query(text, ...rest)
      })
      await webhooks.deliveries.purge({ olderThanMs: 0, failed: true })
      between.mockRestore()
      expect(retried).toBe(true)
      await jobs(isEvery('completed', 1))
    })

    it('of an endpoint that was deleted while a worker that is gone had it', async () => {
      const f = await fixture(engine())
      const { endpoint, failed } = await blocked(f)
      await f.webhooks.endpoints.delete(endpoint.id)
      await f.sql(
        `update {{webhook_jobs}} set status = 'processing', locked_until = created_at, locked_by = 'gone' where id = '${failed}'`,
      )
      await using _worker = f.webhooks.run()
      await f.jobs(isEvery('cancelled', 3))
      expect(f.receiver.requests).toHaveLength(1)
    })
  })
}
