import { InvalidArgumentError } from '@varve/core'
import type { Names } from '@varve/postgres'

/** What the statements here use beyond the names of `@varve/postgres`. */
export interface PartitionNames extends Names {
  /** An object of the store's schema, quoted. */
  readonly on: (name: string) => string
}

export function partitionNames(names: Names): PartitionNames {
  return { ...names, on: (name) => `${names.schema}."${name.replaceAll('"', '""')}"` }
}

/** @throws InvalidArgumentError for what cannot be a partition's name. */
export function checkName(name: unknown, argument = 'name'): string {
  if (typeof name === 'string' && name !== '' && Buffer.byteLength(name) <= 63 && !name.includes('\0'))
    return name
  throw new InvalidArgumentError(argument, "must be a partition's name, such as 'events_2024_03'")
}
