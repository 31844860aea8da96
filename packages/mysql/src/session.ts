import { TransactionEnded } from '@varve/sql'
import type { SqlRow, SqlSession, SqlValue } from '@varve/sql'
import type { Connection } from 'mysql2/promise'
import { run, runText } from './run.js'
import type { Core, Result, RunSettings } from './run.js'
import { statementsOf } from './script.js'

/** One connection. */
export class MysqlSession implements SqlSession<Connection> {
  readonly core: Core
  readonly #settings: RunSettings
  #client: Connection | undefined
  /** Whether the append-only tables are open to this connection. */
  open = false
  #ended = false

  /** @param client the caller's own, when that is the promise kind */
  constructor(core: Core, settings: RunSettings, client?: Connection) {
    this.core = core
    this.#settings = settings
    this.#client = client
  }

  get client(): Connection {
    return (this.#client ??= this.core.promise())
  }

  /** How many bytes of a statement a byte of a parameter may take. */
  get expansion(): number {
    return this.#settings.inlined ? 2.1 : 1
  }

  async query<T = SqlRow>(
    text: string,
    params: readonly SqlValue[] = [],
    map?: (row: SqlRow) => T,
  ): Promise<T[]> {
    return (await run(this.core, this.#settings, text, params, map)).rows
  }

  async execute(text: string, params: readonly SqlValue[] = []): Promise<number> {
    return (await run(this.core, this.#settings, text, params)).found
  }

  /** As `query`, with the first of the positions that an insert made. */
  insert(text: string, params: readonly SqlValue[]): Promise<Result<SqlRow>> {
    return run(this.core, this.#settings, text, params)
  }

  async script(text: string): Promise<void> {
    for (const statement of statementsOf(text)) {
      const { inTransaction } = await runText(this.core, this.#settings.deadlineMs, statement)
      this.#ended = !inTransaction
    }
  }

  /** @throws TransactionEnded when there was no transaction any more behind the last script. */
  refuseEnded(): void {
    if (this.#ended) throw new TransactionEnded()
  }

  async assertOpen(): Promise<void> {
    await this.script('do 0')
    this.refuseEnded()
  }
}
