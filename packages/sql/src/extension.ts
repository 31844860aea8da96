import { InvalidArgumentError } from '@varve/core'
import type { EventStore, MigrationState, ProjectionTransaction, StoreTransaction } from '@varve/core'
import type { Dialect, Migration } from './dialect.js'
import type { SqlDriver, SqlSession } from './driver.js'
import { migrate, migrationStates } from './migrate.js'
import { checkSetName } from './migration-set.js'
import type { MigrationSet } from './migration-set.js'
import { SESSION } from './session-key.js'

/** A package that brings tables of its own, kept beside the store's and migrated by the same runner. */
export interface SqlExtension {
  /** Lower-case letters, digits, `-` and `_`: stands before the names of its records, `webhooks/0001_jobs`. */
  readonly name: string
  /** Per engine, in the order in which they run; `{{jobs}}` in their text gives the table's full name. */
  readonly migrations: Readonly<Record<string, readonly Migration[]>> & {
    /** Also for partitioned Postgres. */
    readonly postgres: readonly Migration[]
    /** Also for MariaDB. */
    readonly mysql: readonly Migration[]
    readonly sqlite: readonly Migration[]
  }
  /** The tables that they create, as `dialect.table` takes them: refused when they exist and are not ours. */
  readonly tables: readonly string[]
}

/** What a store gives to packages with tables of their own. */
export interface SqlAccess<Client = unknown> {
  readonly driver: SqlDriver<Client>
  readonly dialect: Dialect<Client>
  /** Runs one call as the store runs its own: refused once it is closed, its `close()` waits, errors are the store's. */
  readonly run: <T>(operation: string, work: () => Promise<T>) => Promise<T>
  /**
   * Statements inside a transaction of the store's, of `store.transaction`, `store.using` or a projection: they commit or
   * roll back with its events, or its checkpoint.
   *
   * @throws InvalidArgumentError when `tx` is none of a store of ours.
   */
  readonly session: (tx: StoreTransaction<Client> | ProjectionTransaction<Client>) => SqlSession<Client>
  /**
   * Brings the extension's tables to what its version needs; safe from any number of processes at once.
   *
   * @throws MigrationError as `store.migrate()`.
   */
  readonly migrate: (extension: SqlExtension) => Promise<void>
  readonly state: (extension: SqlExtension) => Promise<MigrationState[]>
}

/** What a store hands in about itself. */
export interface SqlRegistration<Client> extends Pick<SqlAccess<Client>, 'driver' | 'dialect'> {
  readonly lifecycle: Pick<SqlAccess, 'run'>
}

// a global symbol on the handle itself: the ESM and the CommonJS copy of this package find each other's stores
const ACCESS = Symbol.for('@varve/sql/access')

/** Lets `sqlOf` find what is behind a handle; called for each handle that a store gives out, `bound` for those of `forTenant`. */
export function registerSql<Client>(handle: object, store: SqlRegistration<Client>, bound = false): void {
  const { driver, dialect, lifecycle } = store
  const run: SqlAccess['run'] = (operation, work) => lifecycle.run(operation, work)
  const access: SqlAccess<Client> = {
    driver,
    dialect,
    run,
    session: sessionOf,
    migrate: async (extension) => {
      if (bound)
        throw new InvalidArgumentError(
          'store',
          'migrate through the store that was opened, not a bound handle',
        )
      const set = setOf(extension, dialect.name)
      await run('migrate', () => migrate({ driver, dialect, set }))
    },
    state: async (extension) => {
      const set = setOf(extension, dialect.name)
      return run('migrations', () => migrationStates({ driver, dialect, set }))
    },
  }
  Object.defineProperty(handle, ACCESS, { value: access })
}

/**
 * What is behind a store made by one of varve's SQL adapters, for packages that keep tables of their own beside its tables.
 *
 * @throws InvalidArgumentError when the store was made by something else.
 */
export function sqlOf<Client>(store: EventStore<Client>): SqlAccess<Client> {
  const access = (store as { readonly [ACCESS]?: SqlAccess<Client> })[ACCESS]
  if (access === undefined) {
    throw new InvalidArgumentError(
      'store',
      'it was not made by @varve/postgres, @varve/mysql, @varve/sqlite or another adapter over @varve/sql; ' +
        'pass the store itself, not a wrapper around it',
    )
  }
  return access
}

function sessionOf<Client>(tx: StoreTransaction<Client> | ProjectionTransaction<Client>): SqlSession<Client> {
  const session = (tx as { readonly [SESSION]?: SqlSession<Client> })[SESSION]
  if (session === undefined) {
    throw new InvalidArgumentError(
      'tx',
      'pass what store.transaction gives to its work, store.using returns, or the handlers of a projection get',
    )
  }
  return session
}

function setOf(extension: SqlExtension, dialect: string): MigrationSet {
  const { name, tables } = extension
  checkSetName(name)
  const migrations = extension.migrations[dialect]
  if (migrations === undefined) {
    const known = Object.keys(extension.migrations).join(', ')
    throw new InvalidArgumentError(
      'extension',
      `'${name}' has no migrations for ${dialect}, only for ${known}`,
    )
  }
  return { name, migrations, tables }
}
