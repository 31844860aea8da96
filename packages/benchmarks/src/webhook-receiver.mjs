// A receiver in a process of its own, as receivers are: answers 204 at once, or never on /dead. Counts, and tells when asked.
import { createServer } from 'node:http'

let requests = 0
const latencies = []
const server = createServer((request, response) => {
  const chunks = []
  request.on('data', (chunk) => chunks.push(chunk))
  request.on('end', () => {
    if (request.url === '/dead') return
    requests++
    if (request.url?.startsWith('/timed')) {
      const { sentAt } = JSON.parse(Buffer.concat(chunks).toString()).data
      latencies.push(performance.timeOrigin + performance.now() - sentAt)
    }
    response.writeHead(204).end()
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }))
process.on('message', () => process.send({ requests, latencies: latencies.splice(0) }))
process.on('disconnect', () => process.exit())
