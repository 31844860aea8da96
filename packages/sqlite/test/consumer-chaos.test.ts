import { join } from 'node:path'
import { Fleet, runChaos } from '@varve/test-servers'
import Database from 'better-sqlite3'
import { expect, test } from 'vitest'
import { createSqliteEventStore } from '../src/index.js'
import { chaosTables, projectionsFor } from './consumer-projections.mjs'
import { rowsOf, temporaryFolder } from './harness.js'

const FOR_MS = Number(process.env['VARVE_CHAOS_MS'] ?? 5_000)

test(
  'runners killed at random while writers append: nothing is lost, nothing applied twice',
  async () => {
    const folder = temporaryFolder()
    const filename = join(folder.path, 'events.db')
    const store = createSqliteEventStore({ filename })
    await store.migrate()
    const owner = new Database(filename)
    for (const table of chaosTables) owner.exec(table)
    const fleet = new Fleet(new URL('consumer-process.mjs', import.meta.url), [
      JSON.stringify({ filename }),
      '600',
    ])
    await runChaos({
      fleet,
      processes: 2,
      forMs: FOR_MS,
      writers: 4,
      append: (n) => store.append(`s-${n % 23}`, [{ type: 'counted', data: n }]),
    })
    await fleet.killAll()
    const runner = store.projections.run(
      projectionsFor((client, text) => client.exec(text)),
      {
        leaseMs: 600,
      },
    )
    await runner.caughtUp()
    await runner.stop()

    const streams = new Map<string, number>()
    for await (const event of store.readAll()) streams.set(event.streamId, event.version)
    const events = [...streams.values()].reduce((sum, version) => sum + version, 0)
    const rows = rowsOf(owner, 'select projection, stream_id, events, last_version from chaos_model')
    for (const name of ['whole', 'split']) {
      const own = rows.filter(({ projection }) => projection === name)
      expect(new Map(own.map((row) => [row['stream_id'], row['events']]))).toEqual(streams)
      expect(new Map(own.map((row) => [row['stream_id'], row['last_version']]))).toEqual(streams)
      expect(rowsOf(owner, `select count(*) as n from chaos_seen where projection = '${name}'`)).toEqual([
        { n: events },
      ])
    }
    expect(events).toBeGreaterThan(100)
    expect(fleet.killed).toBeGreaterThan(2)
    const led = fleet.messages.filter(
      (message) => (message as { lease?: { event: string } }).lease?.event === 'acquired',
    )
    expect(led.length).toBeGreaterThan(2)
    expect(fleet.output).toBe('')
    await store.close()
    owner.close()
    folder.remove()
  },
  FOR_MS + 60_000,
)
