// One process whose handler does not come back before it is told: node stopped-process.mjs <options> <leaseMs>
import { registerHooks } from 'node:module'

// the sources import each other by the names that they will have once built
registerHooks({
  resolve: (specifier, context, next) =>
    specifier.startsWith('.') && specifier.endsWith('.js') && context.parentURL?.includes('/src/')
      ? next(`${specifier.slice(0, -3)}.ts`, context)
      : next(specifier, context),
})

const { createMysqlEventStore } = await import('@varve/mysql')
const [, , options, leaseMs] = process.argv
const store = createMysqlEventStore({ pool: { max: 6, min: 0 }, ...JSON.parse(options) })
const { defineProjection } = await import('@varve/core')
const { once } = await import('node:events')
const projection = defineProjection({
  name: 'stopped',
  handles: {
    counted: async (event, { client }) => {
      await client.query(`insert into stopped_model values (?, 'stopped')`, [event.position])
      process.send('inside')
      await once(process, 'message')
    },
  },
})
store.projections.run([projection], {
  leaseMs: Number(leaseMs),
  onError: () => void store.close().then(() => process.disconnect()),
})
