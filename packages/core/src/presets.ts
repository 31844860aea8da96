import { describe } from './describe.js'
import { InvalidArgumentError } from './errors.js'
import { nearest } from './known-names.js'
import { copyOptions, namesOf, wholeNumber, type Given } from './option-values.js'

/** How many connections the store opens itself. */
export interface PoolOptions {
  max?: number | undefined
  min?: number | undefined
}

/** Settings that belong together. A timeout of 0 is none. */
export interface Preset {
  readonly pool: { readonly max: number; readonly min: number }
  readonly statementTimeoutMs: number
  /** How long a call waits for a free connection. */
  readonly acquireTimeoutMs: number
  /** How long a connection may lie unused before it is ended. */
  readonly idleTimeoutMs: number
  /** Events read at a time, and events handed over and committed at a time. */
  readonly projections: { readonly batchSize: number; readonly checkpointEvery: number }
  /** A snapshot every so many events. */
  readonly snapshots: { readonly every: number }
}

export type PresetName = 'development' | 'production'

/** Of a preset, what shall be otherwise. */
export interface PresetOverrides {
  pool?: PoolOptions | undefined
  statementTimeoutMs?: number | undefined
  acquireTimeoutMs?: number | undefined
  idleTimeoutMs?: number | undefined
  projections?: { batchSize?: number; checkpointEvery?: number } | undefined
  snapshots?: { every?: number } | undefined
}

const development: Preset = Object.freeze({
  pool: Object.freeze({ max: 5, min: 0 }),
  statementTimeoutMs: 30_000,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
  projections: Object.freeze({ batchSize: 50, checkpointEvery: 10 }),
  snapshots: Object.freeze({ every: 50 }),
})

const production: Preset = Object.freeze({
  pool: Object.freeze({ max: 20, min: 5 }),
  statementTimeoutMs: 10_000,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
  projections: Object.freeze({ batchSize: 500, checkpointEvery: 100 }),
  snapshots: Object.freeze({ every: 100 }),
})

/** The settings for a developer's machine and for a server. */
export const presets: Readonly<Record<PresetName, Preset>> = Object.freeze({ development, production })

const overrideNames = namesOf<PresetOverrides>({
  pool: true,
  statementTimeoutMs: true,
  acquireTimeoutMs: true,
  idleTimeoutMs: true,
  projections: true,
  snapshots: true,
})
const poolNames = namesOf<PoolOptions>({ max: true, min: true })
const projectionNames = namesOf<Preset['projections']>({ batchSize: true, checkpointEvery: true })
const snapshotNames = namesOf<Preset['snapshots']>({ every: true })
// the longest that a timer of JavaScript takes
const MAX_TIMEOUT_MS = 2_147_483_647

/**
 * A preset with some of its settings otherwise.
 *
 * @throws InvalidArgumentError for an unknown preset or setting, or one out of range.
 */
export function resolvePreset(preset?: PresetName, overrides?: PresetOverrides): Preset {
  return presetFrom(preset, copyOptions<PresetOverrides>(overrides, overrideNames))
}

/** As `resolvePreset`, of values that are still to be checked. */
export function presetFrom(preset: unknown, given: Given<PresetOverrides>): Preset {
  const base = presetNamed(preset ?? 'production')
  const projections = copyOptions<Preset['projections']>(given.projections, projectionNames, 'projections')
  const snapshots = copyOptions<Preset['snapshots']>(given.snapshots, snapshotNames, 'snapshots')
  const timeout = (name: 'statementTimeoutMs' | 'acquireTimeoutMs' | 'idleTimeoutMs') =>
    wholeNumber(given[name], name, base[name], { max: MAX_TIMEOUT_MS })
  const count = (value: unknown, argument: string, absent: number) =>
    wholeNumber(value, argument, absent, { min: 1 })
  return Object.freeze({
    pool: resolvePool(given.pool, base.pool),
    statementTimeoutMs: timeout('statementTimeoutMs'),
    acquireTimeoutMs: timeout('acquireTimeoutMs'),
    idleTimeoutMs: timeout('idleTimeoutMs'),
    projections: Object.freeze({
      batchSize: count(projections.batchSize, 'projections.batchSize', base.projections.batchSize),
      checkpointEvery: count(
        projections.checkpointEvery,
        'projections.checkpointEvery',
        base.projections.checkpointEvery,
      ),
    }),
    snapshots: Object.freeze({ every: count(snapshots.every, 'snapshots.every', base.snapshots.every) }),
  })
}

function presetNamed(name: unknown): Preset {
  if (name === 'development' || name === 'production') return presets[name]
  const near = typeof name === 'string' ? nearest(name, Object.keys(presets)) : undefined
  const hint = near === undefined ? '' : `; did you mean '${near}'?`
  throw new InvalidArgumentError(
    'preset',
    `must be 'development' or 'production', is ${describe(name)}${hint}`,
  )
}

function resolvePool(value: unknown, base: Preset['pool']): Preset['pool'] {
  const given = copyOptions<PoolOptions>(value, poolNames, 'pool')
  const max = wholeNumber(given.max, 'pool.max', base.max, { min: 1 })
  // who asks for a small pool only must not have to know the preset's minimum
  const min = wholeNumber(given.min, 'pool.min', Math.min(base.min, max))
  if (min > max && given.max === undefined) return Object.freeze({ max: min, min })
  if (min > max)
    throw new InvalidArgumentError('pool.min', `must not be more than pool.max (${max}), is ${min}`)
  return Object.freeze({ max, min })
}
