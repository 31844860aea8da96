// One process of those that migrate at once: node migrate-process.mjs <url> <schema>
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const { createPostgresEventStore } = await import('@varve/postgres')
const [, , connectionString, schema] = process.argv
const store = createPostgresEventStore({ connectionString, schema, pool: { max: 2, min: 0 } })
await store.migrate()
await store.close()
process.disconnect()
