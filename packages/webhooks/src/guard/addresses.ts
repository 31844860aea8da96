import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Network = [Address, number]

// what the registries of special addresses hold, beyond the ranges that the library names
const special: readonly Network[] = [
  '0.0.0.0/8',
  '100.64.0.0/10',
  '168.63.129.16/32', // Azure's own server for its machines, on an address that looks public
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '240.0.0.0/4',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
].map((text) => ipaddr.parseCIDR(text))

const globalUnicast: Network = ipaddr.parseCIDR('2000::/3')

/** Networks in the form `10.0.0.0/8`, or single addresses. @throws RangeError for what is neither. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.map((text) => {
    const [address = '', bits, ...more] = text.split('/')
    if (isIP(address) === 0 || more.length > 0)
      throw new RangeError(`'${text}' is no network such as 10.0.0.0/8`)
    return ipaddr.parseCIDR(bits === undefined ? `${address}/${isIP(address) === 4 ? 32 : 128}` : text)
  })
}

/** Why nothing may be sent to an address; `undefined` when it may. Only what the whole Internet can reach is let through. */
export function addressProblem(text: string, allowed: readonly Network[]): string | undefined {
  // a zone picks an interface of this machine: what it stands for is never a public address
  if (text.includes('%') || isIP(text) === 0) return 'it is no plain IP address'
  const address = ipaddr.parse(text)
  if (allowed.some((network) => within(unmapped(address), network) || within(address, network)))
    return undefined
  const range = address.range()
  if (range !== 'unicast') return `it is ${words[range] ?? `special (${range})`}`
  if (address.kind() === 'ipv6' && !within(address, globalUnicast)) return 'it is no public address'
  return special.some((network) => within(address, network)) ? 'it is no public address' : undefined
}

const words: Readonly<Record<string, string>> = {
  private: 'private',
  loopback: 'loopback',
  linkLocal: 'link-local, where cloud metadata is',
  uniqueLocal: 'private',
  carrierGradeNat: "a carrier's own",
  unspecified: 'unspecified',
  broadcast: 'broadcast',
  multicast: 'multicast',
  ipv4Mapped: 'an IPv4 address in disguise',
  rfc6052: 'an IPv4 address in disguise (NAT64)',
  rfc6145: 'an IPv4 address in disguise',
  '6to4': 'an IPv4 address in disguise (6to4)',
  teredo: 'an IPv4 address in disguise (Teredo)',
}

function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address
}

function within(address: Address, [network, bits]: Network): boolean {
  return address.kind() === network.kind() && address.match(network, bits)
}
