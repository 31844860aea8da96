import { InvalidArgumentError, StoreUnavailableError } from '@varve/core'
import BetterSqlite3 from 'better-sqlite3'
import type { Database } from 'better-sqlite3'
import { classify } from './classify.js'
import { Connection, connectionOf } from './connection.js'
import type { ResolvedSqliteOptions } from './options.js'

const MAPPED_BYTES = 256 * 1024 * 1024
/** How long the write-ahead log gets before it is written back, in pages of 4 KiB. */
const CHECKPOINT_PAGES = 4_000

export function openConnection(options: ResolvedSqliteOptions): Connection {
  if (options.database !== undefined) return connectionOf(options.database)
  const database = openDatabase(options.filename)
  if (database.memory) return new Connection(database, { foreign: false })
  const setUp = (): void => {
    database.pragma('journal_mode = wal')
    // said aloud: SQLite may be built so that a file with a write-ahead log gets less
    database.pragma(`synchronous = ${options.synchronous}`)
    // by default a checkpoint comes with every few flushes, and is a fifth of what they take
    database.pragma(`wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    // reading the whole log is a sixth faster when its pages need not be copied
    database.pragma(`mmap_size = ${MAPPED_BYTES}`)
  }
  return new Connection(database, { foreign: false, setUp })
}

function openDatabase(filename: string): Database {
  try {
    // no waiting inside SQLite: it would keep the whole process waiting
    return new BetterSqlite3(filename, { timeout: 0 })
  } catch (error) {
    if (error instanceof TypeError)
      throw new InvalidArgumentError('filename', `'${filename}': ${error.message}`)
    throw new StoreUnavailableError(`'${filename}' cannot be opened (${classify(error).detail}).`, {
      cause: error,
    })
  }
}
