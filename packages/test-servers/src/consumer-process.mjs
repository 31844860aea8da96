// One process that consumes until it is ended: node consumer-process.mjs <module of the adapter> <function that opens a store>
// <its options as JSON> <mysql or not> <leaseMs>
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const [, , adapter, create, options, family, leaseMs] = process.argv
const { consumeUntilEnded } = await import('./consumers.ts')
const { [create]: open } = await import(adapter)
consumeUntilEnded(open(JSON.parse(options)), { mysql: family === 'mysql', leaseMs: Number(leaseMs) })
