// One process that runs projections until it is killed: node consumer-process.mjs <options of the store as JSON> <leaseMs>
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const { createPostgresEventStore } = await import('@varve/postgres')
const { projectionsFor } = await import('./consumer-projections.mjs')
const [, , options, leaseMs] = process.argv
const store = createPostgresEventStore({ pool: { max: 6, min: 0 }, ...JSON.parse(options) })
store.projections.run(
  projectionsFor((client, text) => client.query(text)),
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
