// One process of those that migrate at once: node migrate-process.mjs <url> <prefix>
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const { createMysqlEventStore } = await import('@varve/mysql')
const [, , uri, tablePrefix] = process.argv
const store = createMysqlEventStore({ uri, tablePrefix, pool: { max: 2, min: 0 } })
await store.migrate()
await store.close()
process.disconnect()
