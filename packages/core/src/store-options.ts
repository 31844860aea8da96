import type { Filled } from './filled.js'
import { InvalidArgumentError } from './errors.js'
import { copyOptions, flag, namesOf, requiredName, wholeNumber } from './option-values.js'
import type { Projection } from './projection/projection.js'
import { presetFrom, type PoolOptions, type Preset, type PresetName } from './presets.js'
import type { SizeLimits } from './prepare.js'
import type { RetryOptions } from './retry.js'

/** What every store can be told when it is opened; each adapter adds its own. */
export interface StoreOptions {
  /** Whose events the store reads and appends; `'default'` when absent. */
  tenantId?: string | undefined
  /** The settings to start from, `'production'` when absent. */
  preset?: PresetName | undefined
  /** Connections that the store opens itself. */
  pool?: PoolOptions | undefined
  /** 0 is no timeout. */
  statementTimeoutMs?: number | undefined
  /** How long a call waits for a free connection; 0 is no timeout. */
  acquireTimeoutMs?: number | undefined
  /** How long a connection may lie unused before it is ended; 0 is for ever. */
  idleTimeoutMs?: number | undefined
  /** `false` for proxies that pool transactions and cannot prepare statements; `true` when absent. */
  preparedStatements?: boolean | undefined
  /** How appends are repeated after a lost connection, a restart, a deadlock; `false` turns it off. */
  retry?: RetryOptions | false | undefined
  /** UTF-8 bytes of the data and metadata of one event as JSON; 1 MiB when absent. */
  maxEventBytes?: number | undefined
  /** The same, of all events of one call; 8 MiB when absent, or `maxEventBytes` if that is more. */
  maxAppendBytes?: number | undefined
  /**
   * Projections that run inside the transaction of each append: what they write is there when the append resolves. They see
   * the appends of this store only, each in a transaction of its own; a handler's error fails its append.
   */
  inline?: readonly Projection[] | undefined
}

export type ResolvedRetry = Readonly<Filled<RetryOptions>>

export interface ResolvedStoreOptions extends SizeLimits, Preset {
  readonly tenantId: string
  readonly preparedStatements: boolean
  readonly retry: ResolvedRetry | false
  readonly inline: readonly Projection[]
}

const storeNames = namesOf<StoreOptions>({
  tenantId: true,
  preset: true,
  pool: true,
  statementTimeoutMs: true,
  acquireTimeoutMs: true,
  idleTimeoutMs: true,
  preparedStatements: true,
  retry: true,
  maxEventBytes: true,
  maxAppendBytes: true,
  inline: true,
})
const retryNames = namesOf<RetryOptions>({ attempts: true, baseDelayMs: true, maxElapsedMs: true })

const defaults = {
  tenantId: 'default',
  preparedStatements: true,
  maxEventBytes: 1024 * 1024,
  maxAppendBytes: 8 * 1024 * 1024,
  retry: { attempts: 5, baseDelayMs: 20, maxElapsedMs: 10_000 },
} satisfies StoreOptions

/**
 * Checks, copies and completes the options that all stores share. `pool` is taken for the settings of a pool; an adapter
 * that accepts the caller's own pool there takes it out first.
 *
 * @param knownExtra the names of the adapter's own options, which it checks itself
 * @throws InvalidArgumentError for a name that neither knows, or a value out of range.
 */
export function resolveStoreOptions(
  options?: StoreOptions,
  knownExtra: readonly string[] = [],
): ResolvedStoreOptions {
  const given = copyOptions<StoreOptions>(options, new Set([...storeNames, ...knownExtra]))
  const maxEventBytes = wholeNumber(given.maxEventBytes, 'maxEventBytes', defaults.maxEventBytes, { min: 1 })
  return Object.freeze({
    ...presetFrom(given.preset, given),
    tenantId: given.tenantId === undefined ? defaults.tenantId : requiredName(given.tenantId, 'tenantId'),
    preparedStatements: flag(given.preparedStatements, 'preparedStatements', defaults.preparedStatements),
    retry: resolveRetry(given.retry),
    inline: inlineProjections(given.inline),
    maxEventBytes,
    maxAppendBytes: wholeNumber(
      given.maxAppendBytes,
      'maxAppendBytes',
      Math.max(defaults.maxAppendBytes, maxEventBytes),
      { min: 1 },
    ),
  })
}

function inlineProjections(value: unknown): readonly Projection[] {
  if (value === undefined) return Object.freeze([])
  const fits = (item: unknown) =>
    typeof item === 'object' && item !== null && 'handles' in item && 'onError' in item
  if (Array.isArray(value) && value.every(fits)) return Object.freeze([...(value as Projection[])])
  throw new InvalidArgumentError('inline', 'must be an array of projections, each made by defineProjection')
}

function resolveRetry(value: unknown): ResolvedRetry | false {
  if (value === false) return false
  if (value === true)
    throw new InvalidArgumentError('retry', 'must be false or an object; leave it out for the defaults')
  const given = copyOptions<RetryOptions>(value, retryNames, 'retry')
  return Object.freeze({
    attempts: wholeNumber(given.attempts, 'retry.attempts', defaults.retry.attempts, { min: 1 }),
    baseDelayMs: wholeNumber(given.baseDelayMs, 'retry.baseDelayMs', defaults.retry.baseDelayMs),
    maxElapsedMs: wholeNumber(given.maxElapsedMs, 'retry.maxElapsedMs', defaults.retry.maxElapsedMs),
  })
}
