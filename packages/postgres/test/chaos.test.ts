import { CHAOS_TIMEOUT_MS } from '@varve/test-servers'
import { appendsSurvive, consumersSurvive } from '@varve/test-servers/vitest'
import { test } from 'vitest'
import { useDatabase } from './store.js'

const { fresh, open, owner, pool, database } = useDatabase()

const killBackends = () =>
  pool().query(
    `select pg_terminate_backend(pid) from (select pid from pg_stat_activity where application_name = 'varve' and datname = $1
     order by random() limit 3) victims`,
    [database().name],
  )

test(
  'backends killed at random while many append and one follows: nothing is lost, stored twice or skipped',
  async () => {
    const { store, schema } = await fresh()
    await appendsSurvive({ store, other: open({ schema }), trouble: killBackends })
  },
  CHAOS_TIMEOUT_MS,
)

test(
  'runners and backends killed at random while writers append: nothing is lost, nothing applied twice',
  async () => {
    const { store, schema } = await fresh()
    await consumersSurvive({
      store,
      address: {
        adapter: new URL('../src/index.ts', import.meta.url),
        create: 'createPostgresEventStore',
        options: { connectionString: database().url, schema, pool: { max: 6, min: 0 } },
      },
      sql: async (text) => (await owner().query<object>(text)).rows,
      trouble: killBackends,
    })
  },
  CHAOS_TIMEOUT_MS,
)
