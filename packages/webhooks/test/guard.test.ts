import { lookup } from 'node:dns/promises'
import { describe, expect, it } from 'vitest'
import { createSsrfGuard } from '../src/index.js'
import type { ResolvedAddress } from '../src/index.js'
import { guardedConnector } from '../src/guard/connector.js'
import { startReceiver } from './support/receiver.js'

const refused = [
  // this machine, in many spellings
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127.0.0.1./',
  'http://①②⑦.⓪.⓪.①/',
  'http://127。0。0。1/',
  'http://%31%32%37.0.0.1/',
  'http://0.0.0.0/',
  'http://0/',
  'http://[::1]/',
  'http://[::]/',
  'http://[0:0:0:0:0:0:0:1]/',
  // IPv4 in IPv6
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[::ffff:0:127.0.0.1]/',
  'http://[64:ff9b::127.0.0.1]/',
  'http://[64:ff9b::8.8.8.8]/',
  'http://[64:ff9b:1::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:53aa:64c:0:0:80ff:fffe]/',
  // networks of one's own
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.1.1/',
  'http://100.64.0.1/',
  'http://100.127.255.255/',
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/',
  'http://100.100.100.200/',
  'http://168.63.129.16/',
  'http://192.0.0.192/',
  'http://198.18.0.1/',
  'http://192.0.2.1/',
  'http://203.0.113.7/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[2001:db8::1]/',
  'http://[100::1]/',
  'http://[5f00::1]/',
]
const malformed = [
  'ftp://example.com/',
  'file:///etc/passwd',
  'javascript:alert(1)',
  'gopher://127.0.0.1:6379/_FLUSHALL',
  'http://user:pass@example.com/',
  'http://user@example.com/',
  'http://:pass@example.com/',
  'http://example.com@127.0.0.1/',
  'http://example.com\\@127.0.0.1/',
  'http://exa\r\nmple.com/',
  'http://example.com/\r\nhost: evil',
  'http://example.com/ x',
  'http://example.com/\t',
  ' http://example.com/',
  'http://[fe80::1%25eth0]/',
  'http://[fe80::1%eth0]/',
  'http://',
  'example.com',
  '',
  `http://example.com/${'x'.repeat(2_100)}`,
]
const resolving =
  (...addresses: string[]) =>
  async (): Promise<ResolvedAddress[]> =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
const invalid = expect.objectContaining({ code: 'VARVE_INVALID_ARGUMENT' })

describe('the guard against forged requests', () => {
  it.each(refused)('14: refuses %s when it is saved', (url) => {
    expect(() => createSsrfGuard().parse(url)).toThrow(invalid)
  })

  it.each(malformed)('refuses %j', (url) => {
    expect(() => createSsrfGuard().parse(url)).toThrow(invalid)
  })

  it.each([
    'https://93.184.215.14/hooks',
    'http://[2606:2800:21f:cb07::1]/',
    'http://172.32.0.1/',
    'http://100.128.0.1/',
  ])('lets the public address %s through', (url) => {
    expect(createSsrfGuard().parse(url).href).toBe(url)
  })

  it('looks at every address of a name, and wants all of them to be public', async () => {
    const check = (...addresses: string[]) =>
      createSsrfGuard({ resolve: resolving(...addresses) }).check('https://a.test/')
    await expect(check('93.184.215.14', '2606:2800:21f:cb07::1')).resolves.toMatchObject({
      hostname: 'a.test',
    })
    await expect(check('93.184.215.14', '10.0.0.1')).rejects.toThrow(invalid)
    await expect(check('10.0.0.1', '93.184.215.14')).rejects.toThrow(invalid)
    await expect(check('93.184.215.14', '::1')).rejects.toThrow(invalid)
    await expect(check('fe80::1%eth0')).rejects.toThrow(invalid)
    await expect(check()).rejects.toThrow(invalid)
  })

  it('refuses names that the system itself knows', async () => {
    expect((await lookup('localhost')).address).toMatch(/^(127\.|::1)/)
    await expect(createSsrfGuard().check('http://localhost/')).rejects.toThrow(invalid)
  })

  it('lets through what is allowed, and nothing beside it', async () => {
    const guard = createSsrfGuard({ allowNetworks: ['10.20.0.0/16', '127.0.0.1', 'fd00::/8'] })
    for (const url of [
      'http://10.20.3.4/',
      'http://127.0.0.1/',
      'http://[::ffff:10.20.0.1]/',
      'http://[fd12::1]/',
    ])
      guard.parse(url)
    for (const url of ['http://10.21.0.1/', 'http://127.0.0.2/', 'http://[::1]/']) {
      expect(() => guard.parse(url)).toThrow(invalid)
    }
    for (const network of ['10.0.0.0/33', '10.0.0.0/8/8', 'localhost', '0x7f.1/8', '']) {
      expect(() => createSsrfGuard({ allowNetworks: [network] })).toThrow(invalid)
    }
  })

  it('connects to no address that it refuses, written out or resolved, whoever asks', async () => {
    await using receiver = await startReceiver()
    const connect = (
      hostname: string,
      resolve?: () => Promise<ResolvedAddress[]>,
      allowNetworks: string[] = [],
    ) =>
      new Promise<string>((settle) => {
        const guard = createSsrfGuard({ allowNetworks, ...(resolve && { resolve }) })
        const options = {
          hostname,
          host: `${hostname}:${receiver.port}`,
          protocol: 'http:',
          port: String(receiver.port),
        }
        guardedConnector({ guard, timeoutMs: 5_000 })(options, (error, socket) => {
          socket?.destroy()
          settle(error === null ? 'connected' : String((error as { code?: unknown }).code))
        })
      })
    const refusal = 'VARVE_WEBHOOK_REFUSED'
    expect(await connect('127.0.0.1')).toBe(refusal)
    expect(await connect('::1')).toBe(refusal)
    expect(await connect('fe80::1%lo')).toBe(refusal)
    expect(await connect('a.test', resolving('127.0.0.1'))).toBe(refusal)
    expect(await connect('a.test', resolving('93.184.215.14', '127.0.0.1'))).toBe(refusal)
    expect(await connect('a.test', resolving('127.0.0.1'), ['127.0.0.1'])).toBe('connected')
  })

  it('asks once, and connects only to what it has seen: the second answer of a rebinding name is never used', async () => {
    await using receiver = await startReceiver()
    let asked = 0
    const resolve = async (): Promise<ResolvedAddress[]> => [
      asked++ === 0 ? { address: '127.0.0.1', family: 4 } : { address: '127.0.0.2', family: 4 },
    ]
    const guard = createSsrfGuard({ resolve, allowNetworks: ['127.0.0.1'] })
    const address = await new Promise((settle) => {
      const options = { hostname: 'a.test', host: 'a.test', protocol: 'http:', port: String(receiver.port) }
      guardedConnector({ guard, timeoutMs: 5_000 })(options, (error, socket) => {
        settle(error ?? socket?.remoteAddress)
        socket?.destroy()
      })
    })
    expect(address).toBe('127.0.0.1')
    expect(asked).toBe(1)
  })
})
