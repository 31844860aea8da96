import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { freePort } from './free-port.ts'

export interface Proxy extends AsyncDisposable {
  readonly port: number
  /** The target's URL through the proxy. */
  readonly url: string
  /** How many clients are connected. */
  readonly connections: number
  /** The network hangs: connections stay open, new ones are accepted, no byte passes. */
  pause(): void
  resume(): void
  /** Resets every open connection; new ones are served. */
  dropConnections(): void
  /**
   * The next bytes that the server sends on a connection that is open now are lost, and the connection with them: what was
   * asked has been done, and nobody is told. With `asked`, the answer to what it says yes to, given what a client sends and a
   * key for its connection; for protocols that take several questions for one thing.
   */
  loseNextAnswer(asked?: (sent: Buffer, connection: object) => boolean): void
  /** What the server sends and this says yes to does not arrive; the connection stays open, and nobody notices. */
  swallow(answer: (received: Buffer) => boolean): void
  /** The server is away: new connections are refused; open ones go on. */
  refuse(): Promise<void>
  accept(): Promise<void>
  stop(): Promise<void>
}

/** A TCP proxy on loopback in front of a database server, to simulate networks and servers that fail. */
export async function startProxy({ target }: { target: string }): Promise<Proxy> {
  const upstreamUrl = new URL(target)
  const upstreamAddress = { host: upstreamUrl.hostname, port: Number(upstreamUrl.port), allowHalfOpen: true }
  const port = await freePort()
  const url = new URL(target)
  url.host = `127.0.0.1:${port}`

  const pairs = new Set<readonly [Socket, Socket]>()
  const each = (action: (socket: Socket) => void) => {
    for (const pair of pairs) pair.forEach(action)
  }
  let paused = false
  let losing: ReadonlySet<Socket> = new Set()
  let swallowed: (received: Buffer) => boolean = () => false
  let asked: ((sent: Buffer, connection: object) => boolean) | undefined
  const loses = (upstream: Socket) => {
    if (!losing.has(upstream)) return false
    losing = new Set()
    upstream.resetAndDestroy()
    return true
  }

  const listener = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect(upstreamAddress)
    const pair = [client, upstream] as const
    pairs.add(pair)
    forward(client, upstream, (sent) => {
      if (asked?.(sent, pair) === true) {
        asked = undefined
        losing = new Set([upstream])
      }
      return false
    })
    forward(upstream, client, (received) => loses(upstream) || swallowed(received))
    const close = () => {
      pairs.delete(pair)
      client.destroy()
      upstream.destroy()
    }
    // a reset on one side is passed on by closing the other
    for (const socket of pair) socket.setNoDelay(true).once('close', close).on('error', close)
    if (paused) pair.forEach((socket) => socket.pause())
  })
  const accept = async () => {
    if (listener.listening) return
    listener.listen(port, '127.0.0.1')
    await once(listener, 'listening')
  }
  // close() stops listening at once; its callback waits for open connections, which may go on
  const refuse = () => {
    listener.close()
    return Promise.resolve()
  }
  const dropConnections = () => each((socket) => socket.resetAndDestroy())
  const stop = async () => {
    await refuse()
    dropConnections()
  }

  await accept()
  return {
    port,
    url: url.href,
    get connections() {
      return pairs.size
    },
    pause: () => {
      paused = true
      each((socket) => socket.pause())
    },
    resume: () => {
      paused = false
      each((socket) => socket.resume())
    },
    dropConnections,
    loseNextAnswer: (when) => {
      asked = when
      if (when === undefined) losing = new Set([...pairs].map(([, upstream]) => upstream))
    },
    swallow: (answer) => {
      swallowed = answer
    },
    refuse,
    accept,
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

function forward(from: Socket, to: Socket, loses: (chunk: Buffer) => boolean): void {
  from.on('data', (chunk) => {
    if (!loses(chunk)) to.write(chunk)
  })
  from.on('end', () => to.end())
}
