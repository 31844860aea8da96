// One process that sends webhooks until it is ended: node worker-process.mjs <address of the store as JSON> <options as JSON>
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && /\/(src|test)\//.test(context.parentURL ?? '')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const [, , address, options] = process.argv
const { engine, options: storeOptions } = JSON.parse(address)
const store = await open()
const { createWebhooks } = await import('@varve/webhooks')
const webhooks = createWebhooks(store, JSON.parse(options))
const worker = webhooks.run()
process.once('SIGTERM', () => void finish())
process.send({ ready: process.pid })

async function finish() {
  const stopped = worker.stop()
  process.send({ stopping: process.pid })
  await stopped
  await webhooks.close()
  await store.close()
  process.disconnect()
}

async function open() {
  if (engine === 'sqlite') return (await import('@varve/sqlite')).createSqliteEventStore(storeOptions)
  if (engine === 'postgres') return (await import('@varve/postgres')).createPostgresEventStore(storeOptions)
  if (engine === 'postgres-partitioned')
    return (await import('@varve/postgres-partitioned')).createPartitionedPostgresEventStore(storeOptions)
  return (await import('@varve/mysql')).createMysqlEventStore(storeOptions)
}
