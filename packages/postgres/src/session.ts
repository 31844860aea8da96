import { createHash } from 'node:crypto'
import { InvalidArgumentError } from '@varve/core'
import pg from 'pg'
import type { SqlRow, SqlSession, SqlValue } from '@varve/sql'
import { DeadlineError } from './classify.js'

/** A client of `pg`, of whichever copy: pooled or on its own. */
export type PgClient = pg.ClientBase

export interface SessionSettings {
  /** Turned off when a pooler turns out not to know prepared statements. */
  prepared: boolean
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
      ...(settings.prepared && { name: statementName(text) }),
    }
    const query = new (queryClass(client))(config as pg.QueryConfig)
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
    query.on('error', (error) => {
      clearTimeout(timer)
      reject(error)
    })
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

/** The caller's pool may come from another copy of `pg`, or from its native variant. */
function queryClass(client: PgClient): typeof pg.Query {
  const { Query } = client.constructor as unknown as { Query?: typeof pg.Query }
  return Query ?? pg.Query
}

export class PgSession<Client extends PgClient> implements SqlSession<Client> {
  readonly client: Client
  readonly #settings: SessionSettings

  constructor(client: Client, settings: SessionSettings) {
    this.client = client
    this.#settings = settings
  }

  query<T = SqlRow>(text: string, params: readonly SqlValue[] = [], map?: (row: SqlRow) => T): Promise<T[]> {
    return runQuery(this.client, this.#settings, text, params, map)
  }

  execute(text: string, params: readonly SqlValue[] = []): Promise<number> {
    return run(this.client, this.#settings, text, params, () => undefined)
  }

  async script(text: string): Promise<void> {
    await runScript(this.client, this.#settings, text)
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
