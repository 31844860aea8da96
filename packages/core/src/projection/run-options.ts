import type { Preset } from '../presets.js'
import {
  copyOptions,
  namesOf,
  optionalFunction,
  optionalSignal,
  present,
  wholeNumber,
} from '../option-values.js'
import { warn } from '../warn.js'
import type { ErrorReport, RunOptions } from './projection-admin.js'

export const runNames = namesOf<RunOptions>({
  batchSize: true,
  checkpointEvery: true,
  leaseMs: true,
  signal: true,
  onBatch: true,
  onError: true,
  onLease: true,
})

export type ResolvedRun = Pick<RunOptions, 'signal' | 'onBatch' | 'onError' | 'onLease'> & {
  readonly batchSize: number
  readonly checkpointEvery: number
  /** The same while there is a whole batch and more to come: each commit costs as much as dozens of events. */
  readonly checkpointEveryBehind: number
  readonly leaseMs: number
}

/** One that stands still must not do so in silence. */
function warnOfStop({ projection, action, error }: ErrorReport): void {
  if (action === 'stop')
    warn('VARVE_PROJECTION', `Projection '${projection}' stands still until it is resumed`, error)
}

/** Checks, copies and completes the options of `projections.run`. @throws InvalidArgumentError */
export function resolveRun(options: RunOptions | undefined, preset: Preset['projections']): ResolvedRun {
  const given = copyOptions<RunOptions>(options, runNames)
  const hook = <Hook>(name: 'onBatch' | 'onError' | 'onLease') =>
    optionalFunction(given[name], name) as Hook | undefined
  const batchSize = wholeNumber(given.batchSize, 'batchSize', preset.batchSize, { min: 1, max: 10_000 })
  const checkpointEvery = wholeNumber(given.checkpointEvery, 'checkpointEvery', preset.checkpointEvery, {
    min: 1,
  })
  return Object.freeze({
    ...present({
      signal: optionalSignal(given.signal, 'signal'),
      onBatch: hook<RunOptions['onBatch']>('onBatch'),
      onError: hook<RunOptions['onError']>('onError') ?? warnOfStop,
      onLease: hook<RunOptions['onLease']>('onLease'),
    }),
    batchSize,
    checkpointEvery,
    checkpointEveryBehind:
      given.checkpointEvery === undefined ? Math.max(batchSize, checkpointEvery) : checkpointEvery,
    leaseMs: wholeNumber(given.leaseMs, 'leaseMs', 10_000, { min: 200, max: 3_600_000 }),
  })
}
