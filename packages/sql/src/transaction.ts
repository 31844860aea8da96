import {
  InvalidArgumentError,
  isTransactionConflictError,
  prepareAppend,
  prepareAppendMany,
} from '@varve/core'
import type {
  AppendOptions,
  AppendResult,
  EventRead,
  NewEvent,
  PreparedWrite,
  ReadStreamOptions,
  RecordedEvent,
  ResolvedStoreOptions,
  SnapshotStore,
  StoreTransaction,
  StreamInfo,
  StreamWrite,
} from '@varve/core'
import type { Appender } from './append.js'
import { inTurn, turnsOver } from './client-turns.js'
import type { Dialect } from './dialect.js'
import type { SqlSession } from './driver.js'
import type { Query, ReadAccess } from './read-access.js'
import type { streamReader } from './read-stream.js'
import { SESSION } from './session-key.js'
import { eventsById } from './duplicate.js'
import { SqlSnapshots } from './snapshots.js'
import type { SnapshotStatements } from './snapshot-sql.js'
import type { headReader } from './streams.js'

export interface TransactionContext<Client> {
  readonly dialect: Dialect<Client>
  readonly appender: Appender<Client>
  readonly limits: ResolvedStoreOptions
  readonly readStream: ReturnType<typeof streamReader>
  readonly readHead: ReturnType<typeof headReader>
  readonly snapshots: SnapshotStatements
  /** Runs one call: refused when the store is closed. */
  run<T>(operation: string, work: () => Promise<T>): Promise<T>
}

/** A store's methods over one session. Calls on one client run one after the other, awaited or not, through any handle. */
export class SqlTransaction<Client> implements StoreTransaction<Client> {
  readonly tenantId: string
  readonly #context: TransactionContext<Client>
  readonly #session: SqlSession<Client>
  /** Whose turns the calls take. */
  readonly #caller: object
  #end: Error | undefined
  readonly #eventIds: string[] = []
  #clientGiven = false

  /** @param caller the client as the caller has it, where the transaction is the caller's */
  constructor(
    context: TransactionContext<Client>,
    session: SqlSession<Client>,
    tenantId: string,
    caller: Client = session.client,
  ) {
    this.#caller = caller as object
    this.#context = context
    this.#session = session
    this.tenantId = tenantId
  }

  get client(): Client {
    this.#clientGiven = true
    return this.#session.client
  }

  /** For statements of an extension's own, in turn with the other calls. */
  get [SESSION](): SqlSession<Client> {
    return {
      client: this.#session.client,
      query: this.#query,
      execute: (text, params) => this.#next('execute', () => this.#session.execute(text, params)),
      script: (text) => this.#next('script', () => this.#session.script(text)),
    }
  }

  /** Of all that was appended, for the error of a commit whose answer was lost. */
  get eventIds(): readonly string[] {
    return this.#eventIds
  }

  async append(
    streamId: string,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    const write = prepareAppend(this.tenantId, streamId, events, options, this.#context.limits)
    const [result] = await this.#write([write])
    return result as AppendResult
  }

  async appendMany(writes: readonly StreamWrite[]): Promise<AppendResult[]> {
    return this.#write(prepareAppendMany(this.tenantId, writes, this.#context.limits))
  }

  readStream(streamId: string, options?: ReadStreamOptions): EventRead {
    return this.#context.readStream(this.#access, this.tenantId, streamId, options)
  }

  getStream(streamId: string): Promise<StreamInfo | undefined> {
    return this.#context.readHead(this.#query, this.tenantId, streamId)
  }

  async getEvent(id: string): Promise<RecordedEvent | undefined> {
    return (await eventsById(this.#context.dialect, this.#query, this.tenantId, [eventId(id)]))[0]
  }

  get snapshots(): SnapshotStore {
    const { snapshots: statements, limits: options } = this.#context
    return new SqlSnapshots({ statements, options, tenantId: this.tenantId, query: this.#guarded })
  }

  /** Waits for calls that were not awaited; afterwards every call rejects. Rejects when the database ended the transaction. */
  async finish(): Promise<void> {
    await turnsOver(this.#caller)
    const ended = this.#end
    this.end()
    if (ended !== undefined) throw ended
    if (this.#clientGiven) await this.#session.assertOpen?.()
  }

  end(): void {
    this.#end ??= new InvalidArgumentError(
      'transaction',
      'it has ended; await every call on it before its work returns, and use the store afterwards',
    )
  }

  readonly #query: Query = (text, params, map) =>
    this.#next('read', () => this.#session.query(text, params, map))

  /** For what may fail and leave the transaction usable. */
  readonly #guarded: Query = (text, params, map) =>
    this.#next('snapshots', async () => {
      await this.#session.script('savepoint varve_snapshots')
      try {
        const rows = await this.#session.query(text, params, map)
        await this.#session.script('release savepoint varve_snapshots')
        return rows
      } catch (error) {
        // when the database has ended the transaction altogether, the next statement will say so
        await this.#session.script('rollback to savepoint varve_snapshots').catch(() => undefined)
        throw error
      }
    })

  readonly #access: ReadAccess = {
    query: this.#query,
    run: (work) => work(),
    whole: (work) => work(this.#access),
  }

  #write(writes: readonly PreparedWrite[]): Promise<AppendResult[]> {
    return this.#next('append', async () => {
      const results = await this.#context.appender.within(this.#session, writes, (error) => {
        this.#end = error
      })
      for (const write of writes) for (const event of write.events) this.#eventIds.push(event.id)
      return results
    })
  }

  #next<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return inTurn(this.#caller, async () => {
      if (this.#end !== undefined) throw this.#end
      return this.#context.run(operation, work)
    })
  }
}

/** @throws InvalidArgumentError for what is no UUID. */
export function eventId(id: string): string {
  if (typeof id === 'string' && /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(id)) return id.toLowerCase()
  throw new InvalidArgumentError('id', `must be a UUID, is ${typeof id === 'string' ? `'${id}'` : typeof id}`)
}

/** Whether running the whole work again may help. */
export function isConflict(error: unknown): boolean {
  return isTransactionConflictError(error)
}
