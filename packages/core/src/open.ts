import { describe } from './describe.js'
import { InvalidArgumentError } from './errors.js'
import type { EventStore } from './event-store.js'
import { isAdapter, loadAdapter } from './open-load.js'
import { readStoreUrl, type StoreUrl } from './open-url.js'
import type { StoreOptions } from './store-options.js'

/** What an adapter's package exports as `adapter`, so that a store can be opened by its URL. */
export interface Adapter {
  /** Such as `postgres`. */
  readonly name: string
  /** Of the URLs that it opens, with the colon: `['postgres:', 'postgresql:']`. */
  readonly protocols: readonly string[]
  readonly packageName: string
  /** The URL comes without the parameters that are varve's; they are among the options, which the adapter checks. */
  open(url: URL | string, options: Readonly<Record<string, unknown>>): EventStore
}

/** Options for a store opened by its URL: the shared ones, and whatever the adapter takes. */
export interface OpenOptions extends StoreOptions {
  /** Adapters to choose from before any package is loaded: for bundlers, and for adapters of your own. */
  adapters?: readonly Adapter[] | undefined
  /** Postgres only: monthly partitions. */
  partitioned?: boolean | undefined
  /** Postgres only. */
  schema?: string | undefined
  /** MySQL, MariaDB and SQLite only. */
  tablePrefix?: string | undefined
}

const installCommands = {
  '@varve/sqlite': 'npm install @varve/sqlite better-sqlite3',
  '@varve/postgres': 'npm install @varve/postgres pg',
  '@varve/postgres-partitioned': 'npm install @varve/postgres-partitioned pg',
  '@varve/mysql': 'npm install @varve/mysql mysql2',
}
type PackageName = keyof typeof installCommands

const packageByProtocol = new Map<string, PackageName>([
  ['sqlite:', '@varve/sqlite'],
  ['postgres:', '@varve/postgres'],
  ['postgresql:', '@varve/postgres'],
  ['mysql:', '@varve/mysql'],
  ['mariadb:', '@varve/mysql'],
])

/**
 * Opens a store by its URL, with the adapter that fits; its package must be installed or given in `adapters`. The URL's
 * parameters `schema`, `tablePrefix`, `partitioned`, `preset` and `tenantId` are varve's, an option in the code has
 * precedence over them, and all others are left to the driver.
 *
 * @throws InvalidArgumentError for a URL that no adapter knows, unknown options, and a package that is not installed (with
 * the command that installs it). No message holds a password.
 *
 * @example
 * ```ts
 * import { openEventStore } from '@varve/core'
 *
 * const store = await openEventStore(process.env['EVENT_STORE_URL'] ?? 'sqlite::memory:')
 * await store.migrate()
 * ```
 */
export async function openEventStore(
  url: URL | string,
  options: OpenOptions & Record<string, unknown> = {},
): Promise<EventStore> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError('options', `must be an object, is ${describe(options)}`)
  }
  const { adapters: givenAdapters, partitioned, ...rest } = options
  const adapters = checkedAdapters(givenAdapters)
  const known = new Set([...packageByProtocol.keys(), ...adapters.flatMap((adapter) => adapter.protocols)])
  const target = readStoreUrl(url, [...known])
  const adapter = await chooseAdapter(target, partitioned ?? target.partitioned ?? false, adapters)
  const given = Object.entries(rest).filter(([, value]) => value !== undefined)
  try {
    return adapter.open(target.url, { ...target.options, ...Object.fromEntries(given) })
  } catch (error) {
    // the error of `new URL` carries the whole URL, password and all
    if (!(error instanceof TypeError && 'code' in error && error.code === 'ERR_INVALID_URL')) throw error
    throw new InvalidArgumentError('url', `no ${target.protocol}// URL that ${adapter.packageName} can read`)
  }
}

async function chooseAdapter(
  { protocol }: StoreUrl,
  partitioned: unknown,
  adapters: readonly Adapter[],
): Promise<Adapter> {
  if (typeof partitioned !== 'boolean') {
    throw new InvalidArgumentError('partitioned', `must be true or false, is ${describe(partitioned)}`)
  }
  const wanted = packageFor(protocol, partitioned)
  const fitting = adapters.filter((adapter) => adapter.protocols.includes(protocol))
  const chosen =
    fitting.find((adapter) => adapter.packageName === wanted) ??
    fitting.find((adapter) => !Object.hasOwn(installCommands, adapter.packageName))
  if (chosen !== undefined) return chosen
  if (wanted === undefined) throw new InvalidArgumentError('url', `there is no adapter for '${protocol}'`)
  return loadAdapter(wanted, installCommands[wanted])
}

function packageFor(protocol: string, partitioned: boolean): PackageName | undefined {
  const plain = packageByProtocol.get(protocol)
  if (!partitioned) return plain
  if (plain === '@varve/postgres') return '@varve/postgres-partitioned'
  throw new InvalidArgumentError(
    'partitioned',
    `only Postgres has monthly partitions, the URL is a ${protocol} one`,
  )
}

function checkedAdapters(adapters: unknown): readonly Adapter[] {
  if (adapters === undefined) return []
  if (!Array.isArray(adapters)) {
    throw new InvalidArgumentError('adapters', `must be an array, is ${describe(adapters)}`)
  }
  return adapters.map((adapter: unknown, index) => {
    if (isAdapter(adapter)) return adapter
    throw new InvalidArgumentError(
      `adapters[${index}]`,
      'no adapter; give what its package exports as `adapter`',
    )
  })
}
