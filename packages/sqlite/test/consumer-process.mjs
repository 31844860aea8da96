// One process that runs projections until it is killed: node consumer-process.mjs <options of the store as JSON> <leaseMs>
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const { createSqliteEventStore } = await import('@varve/sqlite')
const { projectionsFor } = await import('./consumer-projections.mjs')
const [, , options, leaseMs] = process.argv
const store = createSqliteEventStore({ ...JSON.parse(options) })
store.projections.run(
  projectionsFor((client, text) => client.exec(text)),
  {
    leaseMs: Number(leaseMs),
    checkpointEvery: 20,
    onLease: (report) => process.connected && process.send({ lease: report }),
    onError: ({ error, action }) => {
      if (action !== 'restart') console.error(action, error)
    },
  },
)
process.once('SIGTERM', () => {
  void store.close().then(() => process.disconnect())
})
process.send({ ready: process.pid })
