import { InvalidArgumentError } from '@varve/core'
import type { PgDriver } from '@varve/postgres'
import { archivePartition } from './archive.js'
import type { ArchiveManifest, ArchiveTarget } from './archive.js'
import { calling } from './call.js'
import { checkName } from './names.js'
import type { PartitionNames } from './names.js'
import { wholeNumber } from './options.js'
import type { ResolvedPartitionOptions } from './options.js'
import { restorePartition } from './restore.js'
import type { RestoreSource } from './restore.js'

/** A month of the log, or the DEFAULT partition. */
export interface Partition {
  /** Of its table: `events_2024_03`. */
  readonly name: string
  /**
   * `open` may still be appended to; `closed` not any more, its range of positions is fixed; `default` catches what has no
   * month; `detached` has left the log, its table is still there; `dropped` is remembered.
   */
  readonly state: 'open' | 'closed' | 'default' | 'detached' | 'dropped'
  /** By `recordedAt`, inclusive; absent for the DEFAULT partition. */
  readonly from?: Date
  /** By `recordedAt`, exclusive; absent for the DEFAULT partition. */
  readonly to?: Date
  readonly events: number
  /** Of the table with its indexes; of a closed month when it was closed. */
  readonly bytes: number
  /** Absent when it is empty. */
  readonly firstPosition?: number
  readonly lastPosition?: number
  readonly closedAt?: Date
  readonly archivedAt?: Date
  readonly detachedAt?: Date
  readonly droppedAt?: Date
}

export interface ForceOptions {
  /** Names of partitions that go although somebody still needs them. */
  force?: readonly string[]
}

/** Manages the months of the log. All of it needs the rights of the tables' owner, and may run in many processes at once. */
export interface Partitions {
  /** All partitions by time, those that are gone included. Counts the events of the open ones. */
  list(): Promise<Partition[]>

  /**
   * Makes the partition of a month (`'2026-03'`, or a date in it, UTC) unless there is one; gives its name. What the DEFAULT
   * partition has caught of that month moves into it.
   *
   * @throws PartitionError when that month was taken out of the log.
   */
  create(month: string | Date): Promise<string>

  /**
   * Sees to it that this month and those ahead have their partitions, and closes months that are over. The store does so by
   * itself, in `migrate()` and every ten minutes. Gives the names of this month's partition and those ahead.
   */
  ensure(options?: { ahead?: number }): Promise<string[]>

  /**
   * Takes a closed month out of the log; its table stays in the schema, by itself.
   *
   * @throws PartitionError when it is not closed, or somebody still needs it.
   */
  detach(name: string, options?: ForceOptions): Promise<void>

  /**
   * Drops a closed or detached month, or all that ended at least so many whole months ago; at once, whatever their size.
   * Gives the names of what was dropped.
   *
   * @throws PartitionError when one of them is not closed, or still needed by a projection or by a live stream that has no
   * snapshot beyond it; nothing is dropped then.
   *
   * @example
   * ```ts
   * import type { PartitionedEventStore } from '@varve/postgres-partitioned'
   *
   * export async function keepTwoYears(store: PartitionedEventStore): Promise<string[]> {
   *   return store.partitions.drop({ monthsToKeep: 24 })
   * }
   * ```
   */
  drop(which: string | { monthsToKeep: number }, options?: ForceOptions): Promise<string[]>

  /**
   * Writes a closed month as newline-delimited JSON, compressed, with a manifest beside it; both appear whole or not at all.
   * Called again, after a kill for instance, it leaves an archive alone that is complete.
   *
   * @throws PartitionError when the month is not closed.
   */
  archive(name: string, target: ArchiveTarget): Promise<ArchiveManifest>

  /**
   * Brings a month back, from an archive or from its detached table. Every event is held against its checksum, and the whole
   * against what the log remembers of the month. Readers that have passed it do not read it again.
   *
   * @throws PartitionError for a month that is in the log, or when its ids were used again.
   * @throws ForeignLogError for the archive of another log.
   * @throws ChecksumMismatchError, SerializationError for an archive that is damaged; nothing is restored then.
   */
  restore(source: RestoreSource): Promise<void>
}

export function managePartitions(
  driver: PgDriver,
  names: PartitionNames,
  options: ResolvedPartitionOptions,
  run: <T>(operation: string, work: () => Promise<T>) => Promise<T>,
): Partitions {
  const call = calling(driver)
  const fn = (name: string): string => names.on(name)
  return {
    list: () => run('partitions.list', () => call(`select * from (${listing(names)}) p`, [], toPartition)),

    create: (month) =>
      run('partitions.create', async () => {
        const first = firstOfMonth(month)
        const [name] = await call(`select ${fn('create_monthly_partition')}($1::date)`, [first], ([text]) =>
          String(text),
        )
        return name ?? ''
      }),

    ensure: ({ ahead = options.ahead } = {}) =>
      run('partitions.ensure', async () => {
        const months = wholeNumber(ahead, 'ahead', 120)
        const created = await call(
          `select ${fn('create_monthly_partition')}(((now() at time zone 'UTC')::date + make_interval(months => m))::date) ` +
            'from generate_series(0, $1::int) m',
          [months],
          ([text]) => String(text),
        )
        await call(`select ${fn('close_partitions')}(make_interval(secs => $1::float8))`, [
          options.closeAfterMs / 1000,
        ])
        return created
      }),

    detach: (name, given) =>
      run('partitions.detach', async () => {
        const forced = forcedNames(given).includes(checkName(name))
        await call(`select ${fn('close_partitions')}('0')`)
        await call(`select ${fn('detach_partition')}($1, $2::boolean)`, [name, String(forced)])
      }),

    drop: (which, given) =>
      run('partitions.drop', async () => {
        const force = forcedNames(given)
        if (typeof which === 'object' && which !== null) {
          const months = wholeNumber(which.monthsToKeep, 'monthsToKeep', 12_000, 1)
          return call(
            `select ${fn('drop_old_partitions')}($1::int, $2::text[])`,
            [months, arrayLiteral(force)],
            ([text]) => String(text),
          )
        }
        const name = checkName(which)
        await call(`select ${fn('close_partitions')}('0')`)
        await call(`select ${fn('drop_partition')}($1, $2::boolean)`, [name, String(force.includes(name))])
        return [name]
      }),

    archive: (name, target) =>
      run('partitions.archive', async () => {
        await call(`select ${fn('close_partitions')}('0')`)
        return archivePartition(driver, names, checkName(name), target)
      }),

    restore: (source) => run('partitions.restore', () => restorePartition(driver, names, source)),
  }
}

function listing(names: PartitionNames): string {
  const time = (column: string): string => `(extract(epoch from ${column}) * 1000)::bigint`
  return (
    `select name, state, ${time('starts_at')}, ${time('ends_at')}, coalesce(events, 0), coalesce(bytes, 0), first_position, ` +
    `last_position, ${time('closed_at')}, ${time('archived_at')}, ${time('detached_at')}, ${time('dropped_at')} ` +
    `from ${names.on('list_partitions')}()`
  )
}

function toPartition(row: readonly unknown[]): Partition {
  const [name, state, from, to, events, bytes, first, last, closed, archived, detached, dropped] = row as (
    | string
    | null
  )[]
  const time = (key: string, value: string | null | undefined) =>
    value === null || value === undefined ? {} : { [key]: new Date(Number(value)) }
  const number = (key: string, value: string | null | undefined) =>
    value === null || value === undefined ? {} : { [key]: Number(value) }
  return {
    name: name ?? '',
    state: state as Partition['state'],
    ...time('from', from),
    ...time('to', to),
    events: Number(events),
    bytes: Number(bytes),
    ...number('firstPosition', first),
    ...number('lastPosition', last),
    ...time('closedAt', closed),
    ...time('archivedAt', archived),
    ...time('detachedAt', detached),
    ...time('droppedAt', dropped),
  }
}

function firstOfMonth(month: unknown): string {
  if (month instanceof Date && !Number.isNaN(month.getTime())) return month.toISOString().slice(0, 10)
  const [, year, number] = (typeof month === 'string' ? /^(\d{4})-(\d{2})$/.exec(month) : null) ?? []
  if (year === undefined || Number(number) < 1 || Number(number) > 12) {
    throw new InvalidArgumentError(
      'month',
      `must be a month such as '2026-03', or a Date in it, is ${String(month)}`,
    )
  }
  return `${year}-${number}-01`
}

function forcedNames({ force = [] }: ForceOptions = {}): readonly string[] {
  if (!Array.isArray(force)) throw new InvalidArgumentError('force', 'must be a list of names of partitions')
  return force.map((name) => checkName(name, 'force'))
}

function arrayLiteral(names: readonly string[]): string {
  return `{${names.map((name) => `"${name.replace(/["\\]/g, '\\$&')}"`).join(',')}}`
}
