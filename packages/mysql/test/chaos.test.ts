import { CHAOS_TIMEOUT_MS } from '@varve/test-servers'
import { appendsSurvive, consumersSurvive } from '@varve/test-servers/vitest'
import { it } from 'vitest'
import { onEach } from './store.js'

onEach('connections', ({ fresh, open, sql, admin, database }) => {
  const kill = async (): Promise<void> => {
    const victims = await admin(
      `select id as victim from information_schema.processlist where db = '${database().name}' and user = 'varve' order by rand() limit 3`,
    )
    // some have gone by themselves
    for (const { victim } of victims) await admin(`kill ${String(victim)}`).catch(() => undefined)
  }

  it(
    'killed at random while many append and one follows: nothing is lost, stored twice or skipped',
    async () => {
      const { store, prefix } = await fresh()
      await appendsSurvive({ store, other: open({ tablePrefix: prefix }), trouble: kill })
    },
    CHAOS_TIMEOUT_MS,
  )

  it(
    'killed at random, and runners with them, while writers append: nothing is lost, nothing applied twice',
    async () => {
      const { store, prefix } = await fresh()
      await consumersSurvive({
        store,
        address: {
          adapter: new URL('../src/index.ts', import.meta.url),
          create: 'createMysqlEventStore',
          options: { uri: database().url, tablePrefix: prefix, pool: { max: 6, min: 0 } },
          mysql: true,
        },
        sql,
        trouble: kill,
      })
    },
    CHAOS_TIMEOUT_MS,
  )
})
