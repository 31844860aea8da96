import { startPostgres, startStandby } from '@varve/test-servers'
import { expect, test } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'

test('a hot standby serves what needs no guard, and refuses what it cannot do without skipping', async () => {
  await using server = await startPostgres()
  await using primary = createPostgresEventStore({ connectionString: server.url })
  await primary.migrate()
  await primary.append('a', [
    { type: 'happened', data: 1 },
    { type: 'happened', data: 2 },
  ])
  await using standby = await startStandby(server)
  await using replica = createPostgresEventStore({ connectionString: standby.url, acquireTimeoutMs: 500 })
  const { position } = await primary.append('a', [{ type: 'happened', data: 3 }])
  await expect.poll(() => replica.readStream('a').count(), { timeout: 30_000 }).toBe(3)
  expect(await replica.lastPosition()).toBe(position)
  expect(await replica.readAll({ direction: 'backwards' }).count()).toBe(3)
  expect(await replica.readAll({ settled: false }).count()).toBe(3)

  // who is writing on the primary cannot be seen from here: an event below the last one may still be on its way
  const refused = { code: 'VARVE_UNAVAILABLE', message: expect.stringContaining('standby') as string }
  await expect(replica.readAll().toArray()).rejects.toMatchObject(refused)
  await expect(replica.settledPosition()).rejects.toMatchObject(refused)
  await expect(replica.append('a', [{ type: 'happened', data: 4 }])).rejects.toMatchObject({
    code: 'VARVE_UNAVAILABLE',
    retryable: true,
    message: expect.stringContaining('read-only') as string,
  })
  expect(await primary.readStream('a').count()).toBe(3)
}, 90_000)
