import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startProxy, type Proxy } from '../src/index.ts'

// answers every byte with the same byte
const echo = createServer((socket) => socket.on('error', () => socket.destroy()).pipe(socket))
let proxy: Proxy

beforeEach(async () => {
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  proxy = await startProxy({ target: `mysql://u:p@127.0.0.1:${(echo.address() as AddressInfo).port}/db?a=b` })
})

afterEach(async () => {
  await proxy.stop()
  echo.close()
})

async function client(): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect(proxy.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString()))
  // waiting for the connection has thrown if it failed; what ends it later is the test's own doing
  await once(socket, 'connect')
  socket.on('error', () => socket.destroy())
  return { socket, received: () => text }
}

test('passes bytes on, and gives the target its own URL', async () => {
  const { socket, received } = await client()
  socket.write('hello')
  await vi.waitFor(() => expect(received()).toBe('hello'))
  expect(proxy.url).toBe(`mysql://u:p@127.0.0.1:${proxy.port}/db?a=b`)
  socket.end()
  await once(socket, 'close')
  await vi.waitFor(() => expect(proxy.connections).toBe(0))
})

test('holds everything back while paused', async () => {
  const before = await client()
  const other = await client()
  proxy.pause()
  const during = await client()
  before.socket.write('a')
  during.socket.write('b')
  // the order of two sockets is free; these have gone through the event loop often enough to have come back if they could
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  expect([before.received(), during.received()]).toEqual(['', ''])
  proxy.resume()
  await vi.waitFor(() => expect([before.received(), during.received()]).toEqual(['a', 'b']))
  other.socket.write('c')
  await vi.waitFor(() => expect(other.received()).toBe('c'))
})

test('resets what is open and serves what comes next', async () => {
  const { socket } = await client()
  const failed = once(socket, 'error')
  await vi.waitFor(() => expect(proxy.connections).toBe(1))
  proxy.dropConnections()
  expect(await failed).toMatchObject([{ code: 'ECONNRESET' }])
  const next = await client()
  next.socket.write('again')
  await vi.waitFor(() => expect(next.received()).toBe('again'))
})

test('refuses newcomers, and accepts them again', async () => {
  const { socket, received } = await client()
  await vi.waitFor(() => expect(proxy.connections).toBe(1))
  await proxy.refuse()
  await expect(client()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  socket.write('still here')
  await vi.waitFor(() => expect(received()).toBe('still here'))
  await proxy.accept()
  const next = await client()
  next.socket.write('x')
  await vi.waitFor(() => expect(next.received()).toBe('x'))
})
