import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createSsrfGuard } from '../src/index.js'
import { Sender } from '../src/http/sender.js'
import type { Answer } from '../src/http/sender.js'
import { retryAfterMs } from '../src/http/retry-after.js'
import { startReceiver, status } from './support/receiver.js'
import type { Answering, Receiver } from './support/receiver.js'

const pem = (name: string): string => readFileSync(new URL(`support/tls/${name}`, import.meta.url), 'utf8')
const tls = (name: string) => ({ key: pem(`${name}.key`), cert: pem(`${name}.pem`) })

function sender(options: { ca?: string; maxResponseBytes?: number } = {}): Sender {
  const guard = createSsrfGuard({ allowNetworks: ['127.0.0.0/8', '::1'] })
  const made = new Sender({ guard, maxResponseBytes: 1_024, ...options })
  onTestFinished(() => made.close())
  return made
}

async function receiverWith(
  answer?: Answering,
  tlsOptions?: { key: string; cert: string },
): Promise<Receiver> {
  const receiver = await startReceiver({ ...(answer && { answer }), ...(tlsOptions && { tls: tlsOptions }) })
  onTestFinished(() => receiver.close())
  return receiver
}

function send(by: Sender, url: string, timeoutMs = 5_000): Promise<Answer> {
  return by.send({
    url: new URL(url),
    headers: ['content-type', 'text/plain'],
    body: Buffer.from('hello'),
    timeoutMs,
  })
}

/** A server of bare sockets, for answers that no HTTP server gives. */
async function bareServer(serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    serve(socket)
  })
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

describe('requests', () => {
  it('carry the body as it is, and bring back status and the beginning of the answer', async () => {
    const receiver = await receiverWith(status(202, {}, 'x'.repeat(500)))
    const answer = await send(sender(), `${receiver.url}/hooks?key=1`)
    expect(answer).toMatchObject({ statusCode: 202, body: 'x'.repeat(500) })
    expect(answer.failure).toBeUndefined()
    expect(receiver.requests).toMatchObject([{ path: '/hooks?key=1', body: Buffer.from('hello') }])
  })

  it('follow no redirect, to wherever it leads', async () => {
    const other = await receiverWith()
    const receiver = await receiverWith(status(307, { location: other.url }))
    expect(await send(sender(), receiver.url)).toMatchObject({ statusCode: 307 })
    expect(other.requests).toHaveLength(0)
  })

  it('end at the deadline when no headers come', async () => {
    const receiver = await receiverWith(() => undefined)
    const answer = await send(sender(), receiver.url, 150)
    expect(answer).toMatchObject({ failure: { kind: 'timeout' } })
    expect(answer.statusCode).toBeUndefined()
    expect(answer.durationMs).toBeGreaterThanOrEqual(149)
    expect(answer.durationMs).toBeLessThan(1_000)
  })

  it('end at the deadline when the body drips for ever, with the status that came', async () => {
    const receiver = await receiverWith((_, response) => {
      response.writeHead(200)
      const drip = setInterval(() => response.write('.'), 10)
      response.on('close', () => clearInterval(drip))
    })
    const answer = await send(sender(), receiver.url, 200)
    expect(answer).toMatchObject({
      statusCode: 200,
      failure: { kind: 'timeout' },
      body: expect.stringMatching(/^\.+$/),
    })
    expect(answer.durationMs).toBeLessThan(1_000)
  })

  it('end at the deadline when nobody takes the connection further', async () => {
    const url = await bareServer(() => undefined)
    expect(await send(sender(), url.replace('http', 'https'), 150)).toMatchObject({
      failure: { kind: 'timeout' },
    })
  })

  it('read no more of an endless answer than is kept', async () => {
    let written = 0
    const receiver = await receiverWith((_, response) => {
      response.writeHead(200)
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, 'a'))) written += 65_536
      }
      response.on('drain', more)
      more()
    })
    const answer = await send(sender(), receiver.url)
    expect(answer).toMatchObject({ statusCode: 200, body: 'a'.repeat(1_024) })
    expect(answer.failure).toBeUndefined()
    expect(written).toBeLessThan(20_000_000)
  })

  it('unpack nothing: a bomb stays a few bytes', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    const receiver = await receiverWith((_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': bomb.length }).end(bomb)
    })
    expect(await send(sender(), receiver.url)).toMatchObject({
      statusCode: 200,
      body: '(1024 bytes, encoded)',
    })
  })

  it('keep answers that are no text as text that every database stores', async () => {
    const receiver = await receiverWith((_, response) => {
      response.writeHead(200).end(Buffer.from([0x61, 0x00, 0xff, 0xc3, 0x28, 0xed, 0xa0, 0x80, 0x62]))
    })
    const { body } = await send(sender(), receiver.url)
    expect(body).not.toContain('\0')
    expect(body.isWellFormed()).toBe(true)
    expect(body).toMatch(/^a\uFFFD+\(\uFFFD+b$/)
  })

  it('are made once: a connection that breaks after the request came in brings no second one', async () => {
    let requests = 0
    const url = await bareServer((socket) => {
      socket.on('data', (data) => {
        requests += String(data).split('POST ').length - 1
        // the first one on a connection is answered, the second one is taken in and the connection reset
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
        else socket.resetAndDestroy()
      })
    })
    const by = sender()
    expect(await send(by, url)).toMatchObject({ statusCode: 200 })
    expect(await send(by, url)).toMatchObject({ failure: { kind: 'connection' } })
    expect(requests).toBe(2)
  })

  it('fail when the certificate has expired, is not trusted, or is of another host', async () => {
    const ca = pem('ca.pem')
    const [valid, expired] = [
      await receiverWith(undefined, tls('valid')),
      await receiverWith(undefined, tls('expired')),
    ]
    expect(await send(sender({ ca }), valid.url)).toMatchObject({ statusCode: 204 })
    expect(await send(sender({ ca }), expired.url)).toMatchObject({
      failure: { kind: 'tls', text: 'TLS failed (CERT_HAS_EXPIRED)' },
    })
    expect(await send(sender(), valid.url)).toMatchObject({ failure: { kind: 'tls' } })
    expect(await send(sender({ ca }), valid.url.replace('127.0.0.1', '127.0.0.2'))).toMatchObject({
      failure: { kind: expect.stringMatching(/tls|connection/) },
    })
    expect(expired.requests).toHaveLength(0)
  })

  it('check certificates whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const expired = await receiverWith(undefined, tls('expired'))
    expect(await send(sender(), expired.url)).toMatchObject({ failure: { kind: 'tls' } })
    expect(expired.requests).toHaveLength(0)
  })

  it('say by a code what went wrong, and nothing of what was to be sent', async () => {
    const receiver = await receiverWith()
    await receiver.close()
    const answer = await send(sender(), `${receiver.url}/SECRET`)
    expect(answer.failure).toMatchObject({
      kind: 'connection',
      text: expect.stringContaining('ECONNREFUSED'),
    })
    const url = await bareServer((socket) => socket.end('SECRET nonsense\r\n\r\n'))
    const nonsense = await send(sender(), url)
    expect(nonsense.failure?.kind).toBe('connection')
    expect(JSON.stringify([answer, nonsense])).not.toContain('SECRET')
  })
})

describe('Retry-After', () => {
  const now = Date.UTC(2026, 10, 20, 12)
  it.each([
    ['3600', 3_600_000],
    [' 5 ', 5_000],
    ['0', 0],
    ['Fri, 20 Nov 2026 12:01:00 GMT', 60_000],
    ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
    ['Mon, 20 Nov 2036 12:00:00 GMT', 86_400_000],
    ['315360000', 86_400_000],
    ['NaN', undefined],
    ['-5', undefined],
    ['1e9', undefined],
    ['soon', undefined],
    ['2026-11-20', undefined],
    ['', undefined],
  ])('%j asks for %s ms', (text, expected) => {
    expect(retryAfterMs(text, now)).toBe(expected)
  })
})
