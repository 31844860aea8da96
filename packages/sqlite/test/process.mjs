// Another process on the same file: node process.mjs <file> <what> [number]
import { once } from 'node:events'
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const { createSqliteEventStore } = await import('@varve/sqlite')
const [, , filename, what, number] = process.argv
const store = createSqliteEventStore({ filename })
const one = [{ type: 'happened', data: { process: process.pid } }]

const doing = {
  async append() {
    await store.migrate()
    for (let count = 0; count < Number(number); count++) await store.append('shared', one)
  },
  async count() {
    // read, decide, append; again when somebody else was faster
    for (let count = 0; count < Number(number);) {
      const expectedVersion = (await store.getStream('counter'))?.version ?? 0
      const data = { next: expectedVersion + 1 }
      const appended = await store
        .append('counter', [{ type: 'counted', data }], { expectedVersion })
        .catch((error) => {
          if (error.code !== 'VARVE_CONCURRENCY') throw error
        })
      if (appended !== undefined) count += 1
    }
  },
  async hold() {
    const rolledBack = new Error('rolled back')
    const held = store.transaction(async (tx) => {
      await tx.append('shared', one)
      process.send('holding')
      const [how] = await once(process, 'message')
      if (how !== 'commit') throw rolledBack
    })
    await held.catch((error) => {
      if (error !== rolledBack) throw error
    })
  },
}
await doing[what]()
await store.close()
process.disconnect()
