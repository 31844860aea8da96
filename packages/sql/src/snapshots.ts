import {
  InvalidArgumentError,
  nameProblem,
  prepareSnapshot,
  resolveCountSnapshots,
  resolveDeleteSnapshots,
  resolveListSnapshots,
  resolvePruneSnapshots,
  resolveSaveSnapshot,
  resolveSnapshotCoverage,
  resolveSnapshotQuery,
  StreamNotFoundError,
} from '@varve/core'
import type {
  CountSnapshotsOptions,
  DeleteSnapshotsOptions,
  ListSnapshotsOptions,
  NewSnapshot,
  PruneSnapshotsOptions,
  ResolvedStoreOptions,
  SaveSnapshotOptions,
  Snapshot,
  SnapshotCoverage,
  SnapshotCoverageOptions,
  SnapshotQuery,
  SnapshotStore,
} from '@varve/core'
import type { Query } from './read-access.js'
import type { SnapshotStatements } from './snapshot-sql.js'

export interface SnapshotContext {
  readonly statements: SnapshotStatements
  readonly options: Pick<ResolvedStoreOptions, 'maxAppendBytes' | 'snapshots'>
  readonly tenantId: string
  readonly query: Query
}

/** The snapshots of a tenant, on any connection or in a transaction. */
export class SqlSnapshots implements SnapshotStore {
  readonly every: number
  readonly #context: SnapshotContext

  constructor(context: SnapshotContext) {
    this.every = context.options.snapshots.every
    this.#context = context
  }

  async save(streamId: string, snapshot: NewSnapshot, options?: SaveSnapshotOptions): Promise<boolean> {
    const { statements, query, tenantId, options: limits } = this.#context
    const prepared = prepareSnapshot(streamId, snapshot, limits.maxAppendBytes)
    const { keep } = resolveSaveSnapshot(options)
    const { snapshotType, version, schemaVersion, state } = prepared
    const key = [tenantId, prepared.streamId, snapshotType]
    await query(statements.save, [...key, version, schemaVersion, state])
    const [found] = await query(statements.saved, [...key, version])
    if (found === undefined || statements.number(found[0]) !== schemaVersion) {
      await this.#explain(prepared.streamId, version)
      return false
    }
    if (keep !== undefined) await query(statements.trim, [...key, keep])
    return true
  }

  async latest(streamId: string, query?: SnapshotQuery): Promise<Snapshot | undefined> {
    return this.atOrBefore(streamId, Number.MAX_SAFE_INTEGER, query)
  }

  async atOrBefore(streamId: string, version: number, query?: SnapshotQuery): Promise<Snapshot | undefined> {
    const { snapshotType, schemaVersion } = resolveSnapshotQuery(query)
    if (!Number.isSafeInteger(version) || version < 0) {
      throw new InvalidArgumentError('version', `must be a whole number from 0 on, is ${String(version)}`)
    }
    const { statements, tenantId, query: run } = this.#context
    const params = [tenantId, streamName(streamId), snapshotType, version]
    const [found] =
      schemaVersion === undefined
        ? await run(statements.newest, params, statements.decode)
        : await run(statements.newestOfSchema, [...params, schemaVersion], statements.decode)
    return found
  }

  async list(streamId: string, options?: ListSnapshotsOptions): Promise<Snapshot[]> {
    const { snapshotType, limit } = resolveListSnapshots(options)
    const { statements, tenantId, query } = this.#context
    if (limit === 0) return []
    const { text, params } = statements.list(
      { tenantId, streamId: streamName(streamId), snapshotType },
      limit,
    )
    return query(text, params, statements.decode)
  }

  async delete(streamId: string, options?: DeleteSnapshotsOptions): Promise<number> {
    const { snapshotType, version } = resolveDeleteSnapshots(options)
    const { statements, tenantId, query } = this.#context
    const chosen = { tenantId, streamId: streamName(streamId), snapshotType, version }
    // not every engine says how many rows it deleted
    const count = statements.count(chosen)
    const [row] = await query(count.text, count.params)
    const { text, params } = statements.delete(chosen)
    await query(text, params)
    return statements.number(row?.[0])
  }

  async prune(options?: PruneSnapshotsOptions): Promise<number> {
    const { keep, ...chosen } = resolvePruneSnapshots(options)
    const { statements, tenantId, query } = this.#context
    const { counting, deleting, params } = statements.prune({ ...chosen, tenantId }, keep)
    const [row] = await query(counting, params)
    await query(deleting, params)
    return statements.number(row?.[0])
  }

  async count(options?: CountSnapshotsOptions): Promise<number> {
    const { statements, tenantId, query } = this.#context
    const { text, params } = statements.count({ ...resolveCountSnapshots(options), tenantId })
    const [row] = await query(text, params)
    return statements.number(row?.[0])
  }

  async coverage(options?: SnapshotCoverageOptions): Promise<SnapshotCoverage[]> {
    const chosen = resolveSnapshotCoverage(options)
    if (chosen.streamTypes?.length === 0 || chosen.limit === 0) return []
    const { statements, tenantId, query } = this.#context
    const { text, params } = statements.coverage(tenantId, chosen)
    return query(text, params, statements.decodeCoverage)
  }

  /** Nothing was saved: because there is a newer one, or because the stream is not as far. */
  async #explain(streamId: string, version: number): Promise<void> {
    const { statements, tenantId, query } = this.#context
    const [row] = await query(statements.head, [tenantId, streamId])
    if (row === undefined) throw new StreamNotFoundError(streamId)
    const head = statements.number(row[0])
    if (head >= version) return
    throw new InvalidArgumentError(
      'snapshot.version',
      `must not lie beyond the stream: '${streamId}' is at version ${head}, the snapshot at ${version}`,
    )
  }
}

function streamName(streamId: string): string {
  const problem = nameProblem(streamId)
  if (problem !== undefined) throw new InvalidArgumentError('streamId', problem)
  return streamId
}
