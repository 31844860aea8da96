import { createPostgresEventStore } from '@varve/postgres'

const [url = '', limit = '0'] = process.argv.slice(2)
const store = createPostgresEventStore({ connectionString: url })
let read = 0
for await (const event of store.readAll({ limit: Number(limit) })) read += event.position > 0 ? 1 : 0
await store.close()
if (read !== Number(limit)) throw new Error(`read ${read} events of ${limit}`)
console.log(JSON.stringify({ rssMiB: process.resourceUsage().maxRSS / 1024 }))
