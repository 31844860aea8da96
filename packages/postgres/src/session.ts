import { createHash } from 'node:crypto'
import { InvalidArgumentError } from '@varve/core'
import pg from 'pg'
import type { SqlRow, SqlSession, SqlValue } from '@varve/sql'
import { DeadlineError, isBroken, isForgotten, isSilence } from './classify.js'

/** A client of `pg`, of whichever copy: pooled or on its own. */
export type PgClient = pg.ClientBase

export interface SessionSettings {
  /** Of all sessions together: turned off when a pooler turns out not to know prepared statements. */
  readonly prepared: { on: boolean }
  /** Of one statement, by the client's own clock; 0 is none. */
  readonly deadlineMs: number
}

const asText = { getTypeParser: () => (value: unknown) => value }

const names = new Map<string, string>()

/** The same for the same text in every process, as poolers that share prepared statements like it. */
function statementName(text: string): string {
  let name = names.get(text)
  if (name === undefined) {
    name = `varve_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
    if (names.size >= 2_000) names.clear()
    names.set(text, name)
  }
  return name
}

/** Runs one statement; columns come as text. Rows are taken as they arrive, which spares `pg` from keeping them. */
export async function runQuery<T>(
  client: PgClient,
  settings: SessionSettings,
  text: string,
  params: readonly SqlValue[],
  map: ((row: SqlRow) => T) | undefined,
): Promise<T[]> {
  const rows: T[] = []
  await run(client, settings, text, params, (row) => {
    rows.push(map === undefined ? (row as T) : map(row))
  })
  return rows
}

/** Resolves to the number of rows that the statement tells of. */
function run(
  client: PgClient,
  settings: SessionSettings,
  text: string,
  params: readonly SqlValue[],
  take: (row: SqlRow) => void,
): Promise<number> {
  return new Promise((resolve, reject) => {
    let failure: unknown
    const config = {
      text,
      values: params as unknown[],
      rowMode: 'array',
      types: asText,
      ...(settings.prepared.on && { name: statementName(text) }),
    }
    const query = new (queryClass(client))(config as pg.QueryConfig)
    const fail = (error: unknown): void => {
      clearTimeout(timer)
      if (isForgotten(error)) settings.prepared.on = false
      reject(error)
    }
    const timer =
      settings.deadlineMs === 0
        ? undefined
        : setTimeout(() => reject(new DeadlineError(settings.deadlineMs)), settings.deadlineMs)
    query.on('row', (row: unknown) => {
      if (failure !== undefined) return
      try {
        take(row as SqlRow)
      } catch (error) {
        failure = error ?? new Error('a row could not be read')
      }
    })
    query.on('end', (result: pg.QueryResult | undefined) => {
      clearTimeout(timer)
      if (failure === undefined) resolve(result?.rowCount ?? 0)
      else reject(failure)
    })
    query.on('error', fail)
    // where a pool has a query_timeout, `pg` keeps errors for a callback of its own, and emits none
    const handleError = query.handleError.bind(query)
    query.handleError = (...failed) => {
      handleError(...failed)
      fail(failed[0])
    }
    client.query(query)
  })
}

/** Runs statements without parameters, prepared nowhere; gives what the last one was. */
export async function runScript(
  client: PgClient,
  { deadlineMs }: Pick<SessionSettings, 'deadlineMs'>,
  text: string,
): Promise<string> {
  const answer: Promise<pg.QueryResult | pg.QueryResult[]> = client.query(text)
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    if (deadlineMs > 0) timer = setTimeout(() => reject(new DeadlineError(deadlineMs)), deadlineMs)
  })
  try {
    const result = await Promise.race([answer, late])
    return (Array.isArray(result) ? result.at(-1) : result)?.command ?? ''
  } finally {
    clearTimeout(timer)
  }
}

/** What `pg` has and its types do not tell: it calls `handleError` when the query fails. */
type QueryClass = new (config: pg.QueryConfig) => pg.Query & {
  handleError(error: Error, ...more: unknown[]): void
}

/** The caller's pool may come from another copy of `pg`, or from its native variant. */
function queryClass(client: PgClient): QueryClass {
  const { Query } = client.constructor as unknown as { Query?: QueryClass }
  return Query ?? (pg.Query as unknown as QueryClass)
}

export class PgSession<Client extends PgClient> implements SqlSession<Client> {
  readonly client: Client
  readonly #settings: SessionSettings
  #broken: Error | undefined

  constructor(client: Client, settings: SessionSettings) {
    this.client = client
    this.#settings = settings
  }

  /** The error after which the connection must not be used any more, whatever has become of it since. */
  get broken(): Error | undefined {
    return this.#broken
  }

  query<T = SqlRow>(text: string, params: readonly SqlValue[] = [], map?: (row: SqlRow) => T): Promise<T[]> {
    return this.#noticing(() => runQuery(this.client, this.#settings, text, params, map))
  }

  execute(text: string, params: readonly SqlValue[] = []): Promise<number> {
    return this.#noticing(() => run(this.client, this.#settings, text, params, () => undefined))
  }

  async script(text: string): Promise<void> {
    await this.#noticing(() => runScript(this.client, this.#settings, text))
  }

  async #noticing<T>(work: () => Promise<T>): Promise<T> {
    // it would queue behind the statement that got no answer, and get none itself
    if (isSilence(this.#broken)) throw this.#broken
    try {
      return await work()
    } catch (error) {
      if (isBroken(error)) this.#broken = error
      throw error
    }
  }
}

/** In a transaction that the caller begins and ends. */
export class JoinedSession<Client extends PgClient> extends PgSession<Client> {
  override async script(text: string): Promise<void> {
    try {
      await super.script(text)
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== '25P01') throw error // no_active_sql_transaction
      throw new InvalidArgumentError(
        'client',
        "must be in a transaction that you began: client.query('begin')",
      )
    }
  }
}
