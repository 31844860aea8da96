import { InvalidArgumentError, resolveStoreOptions } from '@varve/core'
import type { ResolvedStoreOptions, StoreOptions } from '@varve/core'
import type { Database } from 'better-sqlite3'

export interface SqliteEventStoreOptions extends StoreOptions {
  /** `':memory:'` when absent: a log of its own that goes with the store. A file is made when there is none. */
  filename?: string
  /** Your own Database of better-sqlite3, for a read model beside the log. The store leaves its settings alone and never closes it. */
  database?: Database
  /**
   * Of the file that the store opens: `'FULL'` when absent, an append that was answered survives a power failure. With `'NORMAL'`
   * the last appends may be lost then, and only then; the file stays sound.
   */
  synchronous?: 'FULL' | 'NORMAL'
  /** Stands before the names of tables, indexes, triggers and views; letters, digits and underscores, at most 40. */
  tablePrefix?: string
}

export interface ResolvedSqliteOptions {
  readonly filename: string
  readonly database: Database | undefined
  readonly synchronous: 'FULL' | 'NORMAL'
  readonly tablePrefix: string
  readonly shared: ResolvedStoreOptions
}

const defaults = {
  filename: ':memory:',
  synchronous: 'FULL',
  tablePrefix: '',
} satisfies SqliteEventStoreOptions

/** @throws InvalidArgumentError */
export function resolveSqliteOptions(options: SqliteEventStoreOptions = {}): ResolvedSqliteOptions {
  const shared = resolveStoreOptions(options, ['filename', 'database', 'synchronous', 'tablePrefix'])
  const { database, filename, synchronous, tablePrefix = defaults.tablePrefix } = options
  if (database !== undefined) {
    checkDatabase(database)
    for (const [name, value] of Object.entries({ filename, synchronous })) {
      if (value !== undefined)
        throw new InvalidArgumentError(name, 'is that of your Database; give one or the other')
    }
  }
  if (typeof filename === 'string' && filename.startsWith('sqlite:')) {
    throw new InvalidArgumentError('filename', `is a path, not a URL: '${filename.slice('sqlite:'.length)}'`)
  }
  if (
    filename !== undefined &&
    (typeof filename !== 'string' || filename.trim() === '' || filename.includes('\0'))
  ) {
    throw new InvalidArgumentError('filename', "must be the path of a file, or ':memory:'")
  }
  if (synchronous !== undefined && synchronous !== 'FULL' && synchronous !== 'NORMAL') {
    throw new InvalidArgumentError('synchronous', `must be 'FULL' or 'NORMAL', is '${String(synchronous)}'`)
  }
  if (typeof tablePrefix !== 'string' || !/^(?!sqlite_)(?:[a-z_]\w{0,39})?$/i.test(tablePrefix)) {
    throw new InvalidArgumentError(
      'tablePrefix',
      'must be at most 40 letters, digits and underscores, not beginning with a digit nor with sqlite_',
    )
  }
  return {
    filename: filename ?? defaults.filename,
    database,
    synchronous: synchronous ?? defaults.synchronous,
    tablePrefix,
    shared,
  }
}

function checkDatabase(database: unknown): void {
  const fits =
    typeof database === 'object' &&
    database !== null &&
    'prepare' in database &&
    typeof database.prepare === 'function' &&
    'inTransaction' in database
  if (!fits) throw new InvalidArgumentError('database', 'must be a Database of better-sqlite3')
  if ('open' in database && database.open === true) return
  throw new InvalidArgumentError('database', 'has been closed already')
}
