import { InvalidArgumentError, nameProblem, prepareAppend, prepareAppendMany } from '@varve/core'
import {
  resolveListStreams,
  resolveSubscribe,
  resolveTransaction,
  resolveVerify,
  TenantMismatchError,
} from '@varve/core'
import type {
  AppendOptions,
  AppendResult,
  EventRead,
  EventReader,
  EventStore,
  HealthReport,
} from '@varve/core'
import type {
  ListStreamsOptions,
  MigrateOptions,
  MigrationState,
  NewEvent,
  ProjectionAdmin,
  ReadAllOptions,
} from '@varve/core'
import type {
  ReadStreamOptions,
  RecordedEvent,
  StoreStatistics,
  StoreTransaction,
  StreamInfo,
} from '@varve/core'
import type {
  ProcessAdmin,
  SnapshotStore,
  StreamWrite,
  SubscribeOptions,
  Subscription,
  TransactionOptions,
  VerifyOptions,
  VerifyReport,
} from '@varve/core'
import { SqlProjectionAdmin } from './consume/admin.js'
import { SqlProcessAdmin } from './process/process-admin.js'
import { eventsById } from './duplicate.js'
import { registerSql } from './extension.js'
import { listStreams, setArchived } from './streams.js'
import type { StoreParts } from './store-parts.js'
import { SqlSnapshots } from './snapshots.js'
import { eventId, SqlTransaction } from './transaction.js'

/** Reads of one tenant, or (`undefined`) of all. */
class Reader<Client> implements EventReader {
  protected readonly parts: StoreParts<Client>
  readonly #tenantId: string | undefined

  constructor(parts: StoreParts<Client>, tenantId: string | undefined) {
    this.parts = parts
    this.#tenantId = tenantId
  }

  readAll(options?: ReadAllOptions): EventRead {
    return this.parts.log.read(this.#tenantId, options)
  }

  listStreams(options?: ListStreamsOptions): AsyncIterable<StreamInfo> {
    const filter = resolveListStreams(options)
    const { dialect, lifecycle } = this.parts
    return { [Symbol.asyncIterator]: () => listStreams(dialect, lifecycle.query, this.#tenantId, filter) }
  }

  lastPosition(): Promise<number> {
    return this.parts.lastPosition(this.#tenantId)
  }

  settledPosition(): Promise<number> {
    const { dialect, lifecycle } = this.parts
    return lifecycle.run('settledPosition', async () => (await dialect.settled.look()).settled)
  }

  statistics(): Promise<StoreStatistics> {
    return this.parts.statistics(this.#tenantId)
  }

  async verify(options?: VerifyOptions): Promise<VerifyReport> {
    return this.parts.verify(this.#tenantId, resolveVerify(options))
  }

  subscribe(options?: SubscribeOptions): Subscription {
    return this.parts.subscribe(this.#tenantId, resolveSubscribe(options))
  }
}

/** A store's methods for one tenant; all handles of a store share its parts. */
export class StoreHandle<Client> extends Reader<Client> implements EventStore<Client> {
  readonly tenantId: string
  readonly projections: ProjectionAdmin<Client>
  readonly processes: ProcessAdmin
  readonly #bound: boolean

  constructor(parts: StoreParts<Client>, tenantId: string, bound: boolean) {
    super(parts, tenantId)
    this.projections = new SqlProjectionAdmin(parts.projections, tenantId, bound)
    this.tenantId = tenantId
    this.#bound = bound
    this.processes = new SqlProcessAdmin(parts.projections, this)
  }

  forTenant(tenantId: string): EventStore<Client> {
    const problem = nameProblem(tenantId)
    if (problem !== undefined) throw new InvalidArgumentError('tenantId', problem)
    if (this.#bound && tenantId !== this.tenantId) throw new TenantMismatchError(this.tenantId, tenantId)
    const handle = new StoreHandle(this.parts, tenantId, true)
    registerSql(handle, this.parts, true)
    return handle
  }

  allTenants(): EventReader {
    this.#refuseBound('allTenants')
    return new Reader(this.parts, undefined)
  }

  async append(
    streamId: string,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    const { lifecycle, appender, options: limits } = this.parts
    return lifecycle.run('append', () =>
      appender.append(prepareAppend(this.tenantId, streamId, events, options, limits)),
    )
  }

  async appendMany(writes: readonly StreamWrite[]): Promise<AppendResult[]> {
    const { lifecycle, appender, options: limits } = this.parts
    return lifecycle.run('appendMany', () =>
      appender.appendMany(prepareAppendMany(this.tenantId, writes, limits)),
    )
  }

  readStream(streamId: string, options?: ReadStreamOptions): EventRead {
    return this.parts.readStream(this.parts.lifecycle.access, this.tenantId, streamName(streamId), options)
  }

  async getEvent(id: string): Promise<RecordedEvent | undefined> {
    const { dialect, lifecycle } = this.parts
    return (await eventsById(dialect, lifecycle.query, this.tenantId, [eventId(id)]))[0]
  }

  async getStream(streamId: string): Promise<StreamInfo | undefined> {
    return this.parts.readHead(this.parts.lifecycle.query, this.tenantId, streamName(streamId))
  }

  get snapshots(): SnapshotStore {
    const { snapshots: statements, options, lifecycle } = this.parts
    return new SqlSnapshots({ statements, options, tenantId: this.tenantId, query: lifecycle.query })
  }

  async archiveStream(streamId: string): Promise<void> {
    await setArchived(
      this.parts.dialect,
      this.parts.lifecycle.query,
      this.tenantId,
      streamName(streamId),
      true,
    )
  }

  async restoreStream(streamId: string): Promise<void> {
    await setArchived(
      this.parts.dialect,
      this.parts.lifecycle.query,
      this.tenantId,
      streamName(streamId),
      false,
    )
  }

  async transaction<T>(
    work: (tx: StoreTransaction<Client>) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    const { retries } = resolveTransaction(options)
    return this.parts.transaction(this.tenantId, work, { retries, maintenance: false })
  }

  using(client: Client): StoreTransaction<Client> {
    this.parts.lifecycle.check('using')
    return new SqlTransaction(this.parts.joining, this.parts.driver.join(client), this.tenantId, client)
  }

  async maintenance<T>(work: (tx: StoreTransaction<Client>) => Promise<T>): Promise<T> {
    return this.parts.transaction(this.tenantId, work, { retries: 0, maintenance: true })
  }

  async migrate(options?: MigrateOptions): Promise<void> {
    this.#refuseBound('migrate')
    await this.parts.migrate(options)
  }

  migrations(): Promise<MigrationState[]> {
    return this.parts.migrations()
  }

  health(): Promise<HealthReport> {
    return this.parts.health()
  }

  async close(): Promise<void> {
    this.#refuseBound('close')
    await this.parts.lifecycle.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #refuseBound(operation: string): void {
    if (!this.#bound) return
    throw new InvalidArgumentError(
      operation,
      `this handle is bound to tenant '${this.tenantId}' and speaks for it alone; call ${operation}() on the store that was opened`,
    )
  }
}

function streamName(streamId: string): string {
  const problem = nameProblem(streamId)
  if (problem !== undefined) throw new InvalidArgumentError('streamId', problem)
  return streamId
}
