import { InvalidArgumentError } from '@varve/core'
import type { PostgresEventStoreOptions } from '@varve/postgres'

export interface PartitionOptions {
  /** Months for which a partition is there ahead of time, beside the current one; 3 when absent. */
  ahead?: number
  /** How long after its end a month is closed: how far the server's clock may be set back without harm; one hour when absent. */
  closeAfterMs?: number
  /** How often the store sees to its partitions (`partitions.ensure`), ten minutes when absent; 0 leaves it to you. */
  maintainEveryMs?: number
}

export interface PartitionedPostgresEventStoreOptions extends PostgresEventStoreOptions {
  partitions?: PartitionOptions
}

export type ResolvedPartitionOptions = Readonly<Required<PartitionOptions>>

const defaults = { ahead: 3, closeAfterMs: 3_600_000, maintainEveryMs: 600_000 } satisfies PartitionOptions

const most = { ahead: 120, closeAfterMs: Number.MAX_SAFE_INTEGER, maintainEveryMs: 2_147_483_647 }

/** @throws InvalidArgumentError */
export function resolvePartitionOptions(given: PartitionOptions = {}): ResolvedPartitionOptions {
  if (typeof given !== 'object' || given === null)
    throw new InvalidArgumentError('partitions', 'must be an object')
  const resolved: Record<string, number> = { ...defaults }
  for (const [name, value] of Object.entries(given) as [keyof PartitionOptions, unknown][]) {
    if (!Object.hasOwn(defaults, name)) {
      const known = Object.keys(defaults).join(', ')
      throw new InvalidArgumentError(`partitions.${name}`, `there is no such option; known are ${known}`)
    }
    if (value !== undefined) resolved[name] = wholeNumber(value, `partitions.${name}`, most[name])
  }
  return resolved as unknown as ResolvedPartitionOptions
}

export function wholeNumber(value: unknown, argument: string, max: number, min = 0): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) return value
  throw new InvalidArgumentError(
    argument,
    `must be a whole number from ${min} to ${max}, is ${String(value)}`,
  )
}
