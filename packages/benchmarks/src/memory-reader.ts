import { createPostgresEventStore } from '@varve/postgres'

const SAMPLES = 10

const [url = '', limit = '0'] = process.argv.slice(2)
const every = Math.floor(Number(limit) / SAMPLES)
const store = createPostgresEventStore({ connectionString: url })
let read = 0
let live = 0
for await (const event of store.readAll({ limit: Number(limit) })) {
  read += event.position > 0 ? 1 : 0
  if (read % every !== 0) continue
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  live = Math.max(live, heapUsed + arrayBuffers)
}
await store.close()
if (read !== Number(limit)) throw new Error(`read ${read} events of ${limit}`)
console.log(JSON.stringify({ liveMiB: live / 1024 ** 2, rssMiB: process.resourceUsage().maxRSS / 1024 }))
