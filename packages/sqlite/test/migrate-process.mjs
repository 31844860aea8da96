// One process of those that migrate at once: node migrate-process.mjs <file> [die]
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const { createSqliteEventStore } = await import('@varve/sqlite')
const { sqlOf } = await import('@varve/sql')
const { default: Database } = await import('better-sqlite3')
const [, , filename, die] = process.argv

if (die === undefined) {
  const stores = [1, 2, 3].map(() => createSqliteEventStore({ filename }))
  await Promise.all(stores.map((store) => store.migrate()))
  await Promise.all(stores.map((store) => store.close()))
} else {
  const database = new Database(filename)
  database.function('die', () => process.kill(process.pid, 'SIGKILL'))
  const store = createSqliteEventStore({ database })
  await store.migrate()
  const first = { name: '0001_first', checksum: '1', sql: 'create table {{first}} (id integer)' }
  const second = {
    name: '0002_second',
    checksum: '2',
    sql: 'create table {{second}} (id integer); select die(); create table {{third}} (id integer)',
  }
  const sqlite = [first, second]
  await sqlOf(store).migrate({ name: 'killed', migrations: { sqlite, postgres: [], mysql: [] }, tables: [] })
}
process.disconnect()
