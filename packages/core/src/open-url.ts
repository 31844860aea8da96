import { describe } from './describe.js'
import { InvalidArgumentError } from './errors.js'

/** What a URL says: which adapter, what is for varve, and what is left for the driver. */
export interface StoreUrl {
  /** With its colon: `postgres:`. */
  readonly protocol: string
  /** Without the parameters that are varve's; otherwise as it was given, byte by byte. */
  readonly url: string
  readonly options: Readonly<Record<string, string>>
  readonly partitioned: boolean | undefined
}

// the parameters that varve takes out of a URL; everything else is the driver's
const ownParameters = new Set(['schema', 'tablePrefix', 'partitioned', 'preset', 'tenantId'])

/**
 * Takes a URL apart without parsing more of it than needed: `new URL` refuses what the drivers accept (sockets, several
 * hosts) and would change a file name. No message shows more of the URL than its protocol, as the rest may hold a password.
 *
 * @param known the protocols that can be opened, for the error
 */
export function readStoreUrl(input: unknown, known: readonly string[]): StoreUrl {
  const text = input instanceof URL ? input.href : input
  if (typeof text !== 'string') {
    throw new InvalidArgumentError('url', `must be a URL, is ${describe(text)}; ${knownAre(known)}`)
  }
  const protocol = /^[a-z][a-z\d+.-]*:/i.exec(text.trim())?.[0].toLowerCase()
  if (protocol === undefined) throw new InvalidArgumentError('url', `has no protocol; ${knownAre(known)}`)
  if (!known.includes(protocol)) {
    throw new InvalidArgumentError('url', `there is no adapter for '${protocol}'; ${knownAre(known)}`)
  }
  return { protocol, ...withoutOwnParameters(text.trim()) }
}

function withoutOwnParameters(text: string): Omit<StoreUrl, 'protocol'> {
  const start = text.indexOf('?')
  if (start === -1) return { url: text, options: {}, partitioned: undefined }
  const rest: string[] = []
  const options: Record<string, string> = {}
  let partitioned: boolean | undefined
  for (const part of text.slice(start + 1).split('&')) {
    const [[name, value] = ['', '']] = new URLSearchParams(part)
    if (!ownParameters.has(name)) rest.push(part)
    else if (name in options || (name === 'partitioned' && partitioned !== undefined)) {
      throw new InvalidArgumentError('url', `names the parameter '${name}' twice`)
    } else if (name === 'partitioned') partitioned = trueOrFalse(value)
    else options[name] = value
  }
  const query = rest.length === 0 ? '' : `?${rest.join('&')}`
  return { url: text.slice(0, start) + query, options, partitioned }
}

function trueOrFalse(value: string): boolean {
  if (value === 'true' || value === 'false') return value === 'true'
  throw new InvalidArgumentError(
    'url',
    `the parameter 'partitioned' must be true or false, is ${describe(value)}`,
  )
}

function knownAre(known: readonly string[]): string {
  const examples = known.map((protocol) => (protocol === 'sqlite:' ? 'sqlite:./events.db' : `${protocol}//…`))
  return `known are ${examples.join(', ')}`
}
