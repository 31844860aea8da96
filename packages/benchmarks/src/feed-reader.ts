// Tells how old events are when a subscription gives them: node feed-reader.ts <url>
import { createPostgresEventStore } from '@varve/postgres'

const [, , connectionString = ''] = process.argv
const store = createPostgresEventStore({ connectionString })
const subscription = store.subscribe({ after: 'end' })
await subscription.ready()
process.send?.('ready')
for await (const event of subscription) {
  process.send?.({ latencyMs: performance.timeOrigin + performance.now() - Number(event.data) })
}
