// A process that runs the projection until it is in the middle of a batch, where it waits to be killed.
import { openEventStore } from '@varve/core'
import { sqlFor } from './sql.ts'
import { stockProjection } from './stock.ts'

const [, , url = '', movements = '0', leaseMs = '1000'] = process.argv
let applied = 0
const store = await openEventStore(url, { preset: 'development' })
const projection = stockProjection({
  sql: sqlFor(url),
  before: async () => {
    if (applied++ < Number(movements)) return
    process.send?.('in the middle')
    await new Promise(() => undefined)
  },
})
store.projections.run([projection], { leaseMs: Number(leaseMs), checkpointEvery: 100 })
// nobody is left to kill it
process.once('disconnect', () => process.exit(1))
