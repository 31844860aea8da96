import { lookup as systemLookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import type { LookupFunction } from 'node:net'
import { InvalidArgumentError } from '@varve/core'
import { addressProblem, parseNetworks } from './addresses.js'

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

export interface SsrfGuardOptions {
  /** Networks that may be sent to although they are not public: `['10.20.0.0/16', '127.0.0.1']`. */
  readonly allowNetworks?: readonly string[] | undefined
  /** All addresses of a name; the system's resolver when absent. */
  readonly resolve?: ((hostname: string) => Promise<readonly ResolvedAddress[]>) | undefined
}

/** Nothing was sent: the address is not one that webhooks may go to. Trying again does not help. */
export class SsrfRefusedError extends Error {
  readonly code = 'VARVE_WEBHOOK_REFUSED'

  constructor(hostname: string, address: string, problem: string) {
    const which = hostname === address ? address : `${hostname} (${address})`
    super(`Webhooks may not be sent to ${which}: ${problem}.`)
    this.name = 'SsrfRefusedError'
  }
}

/** Keeps requests to URLs of strangers out of one's own network. */
export interface SsrfGuard {
  /**
   * What can be told without asking anybody: scheme, credentials, characters, an address written out.
   *
   * @throws InvalidArgumentError
   */
  parse(url: string): URL
  /**
   * `parse`, and all addresses that the name has now.
   *
   * @throws InvalidArgumentError for a URL that webhooks may not go to.
   */
  check(url: string): Promise<URL>
  /** The addresses of a host, every one of them checked. @throws SsrfRefusedError when one is refused. */
  addresses(hostname: string): Promise<readonly ResolvedAddress[]>
  /** For `net.connect` and `tls.connect`, which do not call it for an address written out: check that by `refuse`. */
  readonly lookup: LookupFunction
  /** @throws SsrfRefusedError for an address that webhooks may not go to; a name passes. */
  refuse(hostname: string): void
}

/**
 * Makes a guard against server-side request forgery: private, loopback, link-local, metadata, multicast and carrier
 * addresses, and IPv4 addresses that are wrapped into IPv6, are refused, in every spelling.
 *
 * @throws InvalidArgumentError for a network that is none.
 *
 * @example
 * ```ts
 * import { createSsrfGuard } from '@varve/webhooks'
 *
 * const guard = createSsrfGuard({ allowNetworks: ['10.20.0.0/16'] })
 * await guard.check('https://hooks.example.com/orders')
 * guard.parse('http://0x7f.1/') // throws: it is 127.0.0.1
 * ```
 */
export function createSsrfGuard(options: SsrfGuardOptions = {}): SsrfGuard {
  const allowed = networksOf(options.allowNetworks ?? [])
  const resolve = options.resolve ?? ((hostname) => systemLookup(hostname, { all: true, verbatim: true }))

  const refuse = (hostname: string): void => {
    const bare = hostname.replace(/^\[|\]$/g, '')
    // a colon or a per cent sign: no name, however it is to be read
    if (isIP(bare) === 0 && !/[:%]/.test(bare)) return
    const problem = addressProblem(bare, allowed)
    if (problem !== undefined) throw new SsrfRefusedError(bare, bare, problem)
  }

  const addresses = async (hostname: string): Promise<readonly ResolvedAddress[]> => {
    const bare = hostname.replace(/^\[|\]$/g, '')
    refuse(bare)
    if (isIP(bare) !== 0) return [{ address: bare, family: isIP(bare) }]
    const found = await resolve(bare)
    for (const { address } of found) {
      const problem = addressProblem(address, allowed)
      if (problem !== undefined) throw new SsrfRefusedError(bare, address, problem)
    }
    if (found.length === 0) throw Object.assign(new Error(`${bare} has no address`), { code: 'ENOTFOUND' })
    return found
  }

  const parse = (url: string): URL => {
    const parsed = parseUrl(url)
    asArgument(() => refuse(parsed.hostname))
    return parsed
  }

  return {
    parse,
    async check(url) {
      const parsed = parse(url)
      try {
        await addresses(parsed.hostname)
      } catch (error) {
        if (error instanceof SsrfRefusedError) throw refused(error)
        throw new InvalidArgumentError('url', `the name ${parsed.hostname} cannot be resolved`, error)
      }
      return parsed
    },
    addresses,
    refuse,
    // node asks with a callback, and what it throws is not ours to catch
    /* oxlint-disable promise/always-return, promise/no-callback-in-promise */
    lookup: (hostname, { all }, callback) => {
      addresses(hostname).then(
        (found) => {
          const [first] = found
          if (all === true) callback(null, [...found])
          else callback(null, first?.address ?? '', first?.family)
        },
        (error: NodeJS.ErrnoException) => callback(error, ''),
      )
    },
    /* oxlint-enable promise/always-return, promise/no-callback-in-promise */
  }
}

function parseUrl(url: unknown): URL {
  if (typeof url !== 'string') throw new InvalidArgumentError('url', `must be a string, is ${typeof url}`)
  if (url.length > 2_048) throw new InvalidArgumentError('url', 'must not be longer than 2,048 characters')
  // the parser would drop or turn these in silence
  if (/[\p{Cc}\s\\]/u.test(url))
    throw new InvalidArgumentError('url', 'must not have blanks, control characters or backslashes')
  const parsed = URL.parse(url)
  if (parsed === null) throw new InvalidArgumentError('url', 'must be an absolute URL')
  if (parsed.protocol !== 'https:' && parsed.protocol !== 'http:') {
    throw new InvalidArgumentError(
      'url',
      `must begin with https:// or http://, begins with ${parsed.protocol}`,
    )
  }
  if (parsed.username !== '' || parsed.password !== '') {
    throw new InvalidArgumentError('url', 'must not have a user name or password in it; use a header')
  }
  parsed.hash = ''
  return parsed
}

function networksOf(texts: readonly string[]): ReturnType<typeof parseNetworks> {
  try {
    return parseNetworks(texts)
  } catch (error) {
    throw new InvalidArgumentError('allowNetworks', error instanceof Error ? error.message : String(error))
  }
}

function asArgument(check: () => void): void {
  try {
    check()
  } catch (error) {
    throw error instanceof SsrfRefusedError ? refused(error) : error
  }
}

function refused(error: SsrfRefusedError): InvalidArgumentError {
  return new InvalidArgumentError('url', error.message.replace(/\.$/, ''), error)
}
