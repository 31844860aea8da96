import { Fleet } from './fleet.ts'

/** How another process opens the store that a test has opened. */
export interface StoreAddress {
  /** The adapter's module. */
  readonly adapter: URL
  /** Its function that opens a store. */
  readonly create: string
  readonly options: object
  /** Whether it speaks the SQL of MySQL and MariaDB. */
  readonly mysql?: boolean
}

/** Processes that keep the models of `countingProjections`. */
export function consumerFleet(
  { adapter, create, options, mysql = false }: StoreAddress,
  leaseMs: number,
): Fleet {
  return new Fleet(new URL('consumer-process.mjs', import.meta.url), [
    adapter.href,
    create,
    JSON.stringify(options),
    mysql ? 'mysql' : 'other',
    String(leaseMs),
  ])
}
