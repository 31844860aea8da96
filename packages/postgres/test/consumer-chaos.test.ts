import { Fleet, runChaos } from '@varve/test-servers'
import { expect, test } from 'vitest'
import { chaosTables, projectionsFor } from './consumer-projections.mjs'
import { useDatabase } from './store.js'

const { fresh, owner, pool, database } = useDatabase()
const FOR_MS = Number(process.env['VARVE_CHAOS_MS'] ?? 5_000)

test(
  'runners and backends killed at random while writers append: nothing is lost, nothing applied twice',
  async () => {
    const { store, schema } = await fresh()
    for (const table of chaosTables) await owner().query(table)
    const connectionString = database().url
    const fleet = new Fleet(new URL('consumer-process.mjs', import.meta.url), [
      JSON.stringify({ connectionString, schema }),
      '600',
    ])
    await runChaos({
      fleet,
      processes: 2,
      forMs: FOR_MS,
      writers: 4,
      append: (n) => store.append(`s-${n % 23}`, [{ type: 'counted', data: n }]),
      trouble: () =>
        pool().query(
          `select pg_terminate_backend(pid) from (select pid from pg_stat_activity where application_name = 'varve' and datname = $1
         order by random() limit 3) victims`,
          [database().name],
        ),
    })
    await fleet.killAll()
    const runner = store.projections.run(
      projectionsFor((client, text) => client.query(text)),
      {
        leaseMs: 600,
      },
    )
    await runner.caughtUp()
    await runner.stop()

    const streams = new Map<string, number>()
    for await (const event of store.readAll()) streams.set(event.streamId, event.version)
    const events = [...streams.values()].reduce((sum, version) => sum + version, 0)
    const { rows } = await owner().query(
      'select projection, stream_id, events, last_version from chaos_model',
    )
    for (const name of ['whole', 'split']) {
      const own = rows.filter(({ projection }) => projection === name)
      expect(new Map(own.map((row) => [row.stream_id, row.events]))).toEqual(streams)
      expect(new Map(own.map((row) => [row.stream_id, row.last_version]))).toEqual(streams)
      const seen = await owner().query('select count(*)::int as n from chaos_seen where projection = $1', [
        name,
      ])
      expect(seen.rows).toEqual([{ n: events }])
    }
    expect(events).toBeGreaterThan(100)
    expect(fleet.killed).toBeGreaterThan(2)
    const led = fleet.messages.filter(
      (message) => (message as { lease?: { event: string } }).lease?.event === 'acquired',
    )
    expect(led.length).toBeGreaterThan(2)
    expect(fleet.output).toBe('')
  },
  FOR_MS + 60_000,
)
