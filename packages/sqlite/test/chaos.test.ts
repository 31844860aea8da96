import { join } from 'node:path'
import { CHAOS_TIMEOUT_MS } from '@varve/test-servers'
import { consumersSurvive } from '@varve/test-servers/vitest'
import Database from 'better-sqlite3'
import { test } from 'vitest'
import { createSqliteEventStore } from '../src/index.js'
import { temporaryFolder } from './harness.js'

test(
  'runners killed at random while writers append: nothing is lost, nothing applied twice',
  async () => {
    const folder = temporaryFolder()
    const filename = join(folder.path, 'events.db')
    const store = createSqliteEventStore({ filename })
    await store.migrate()
    const owner = new Database(filename)
    await consumersSurvive({
      store,
      address: {
        adapter: new URL('../src/index.ts', import.meta.url),
        create: 'createSqliteEventStore',
        options: { filename },
      },
      sql: async (text) => {
        const statement = owner.prepare(text)
        if (statement.reader) return statement.all() as object[]
        statement.run()
        return []
      },
    })
    await store.close()
    owner.close()
    folder.remove()
  },
  CHAOS_TIMEOUT_MS,
)
