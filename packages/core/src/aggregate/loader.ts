import { StreamNotFoundError } from '../errors.js'
import type { RecordedEvent } from '../event.js'
import { requiredName } from '../option-values.js'
import type { Snapshot } from '../snapshot/snapshot-store.js'
import type { Aggregate } from './aggregate.js'
import type { EventAccess } from './event-access.js'
import type { EventDefinitions, UnknownEvents } from './event-definitions.js'
import { isDue, report, requirePolicy, resolveSnapshotPolicy } from './snapshot-policy.js'
import type { ResolvedSnapshotPolicy, SnapshotPolicy } from './snapshot-policy.js'
import { fold, refuseOtherType } from './stream-fold.js'

/** A stream's state, and how far it is beyond the snapshot that it was made from. */
export interface LoadedStream<State> {
  readonly streamId: string
  state: State
  version: number
  /** 0 when it was replayed from the beginning. */
  readonly snapshotVersion: number
  /** Of the snapshot, or of the stream's first event. */
  readonly since: Date | undefined
  /** When the last event was recorded. */
  readonly until: Date | undefined
}

/** Loads states from snapshots and events, and takes snapshots. What fails with a snapshot is reported, and replayed. */
export class AggregateLoader<State, Events extends EventDefinitions, Unknown extends UnknownEvents> {
  readonly #store: EventAccess
  readonly #aggregate: Aggregate<State, Events, Unknown>
  readonly #policy: ResolvedSnapshotPolicy | undefined

  constructor(
    store: EventAccess,
    aggregate: Aggregate<State, Events, Unknown>,
    snapshots: boolean | SnapshotPolicy | undefined,
  ) {
    this.#store = store
    this.#aggregate = aggregate
    this.#policy = resolveSnapshotPolicy(snapshots, snapshots === undefined ? 1 : store.snapshots.every)
  }

  async load(streamId: string, toVersion: number = Number.MAX_SAFE_INTEGER): Promise<LoadedStream<State>> {
    requiredName(streamId, 'streamId')
    const snapshot =
      this.#policy === undefined ? undefined : await this.#snapshot(this.#policy, streamId, toVersion)
    const version = snapshot?.version ?? 0
    // a state may well be null or undefined
    const folded = { state: snapshot === undefined ? this.#aggregate.initial() : snapshot.state, version }
    let since = snapshot?.createdAt
    let until: Date | undefined
    const range = toVersion === Number.MAX_SAFE_INTEGER ? {} : { toVersion }
    const events = this.#store.readStream(streamId, { fromVersion: version + 1, ...range })
    await fold(this.#aggregate, folded, events, (event) => {
      if (until === undefined) refuseOtherType(event, this.#aggregate.type)
      since ??= event.recordedAt
      until = event.recordedAt
    })
    return { streamId, ...folded, snapshotVersion: version, since, until }
  }

  /** Takes a snapshot when one is due. Never throws. */
  async snapshotIfDue(loaded: LoadedStream<State>, last?: RecordedEvent): Promise<void> {
    const policy = this.#policy
    if (policy === undefined) return
    const { streamId, version, snapshotVersion, since } = loaded
    const until = last?.recordedAt ?? loaded.until
    const ageMs = since === undefined || until === undefined ? 0 : until.getTime() - since.getTime()
    if (!isDue(policy, { version, snapshotVersion, ageMs })) return
    try {
      await this.#save(policy, loaded)
    } catch (error) {
      report(policy, { operation: 'save', tenantId: this.#store.tenantId, streamId, error })
    }
  }

  async snapshotNow(streamId: string): Promise<boolean> {
    const policy = requirePolicy(this.#policy)
    const loaded = await this.load(streamId)
    if (loaded.version === 0) throw new StreamNotFoundError(streamId)
    return this.#save(policy, loaded)
  }

  #save(policy: ResolvedSnapshotPolicy, { streamId, version, state }: LoadedStream<State>): Promise<boolean> {
    const { schemaVersion } = this.#aggregate
    const { snapshotType, keep } = policy
    const encoded = this.#aggregate.encode(state)
    return this.#store.snapshots.save(
      streamId,
      { version, snapshotType, schemaVersion, state: encoded },
      { keep },
    )
  }

  async #snapshot(
    policy: ResolvedSnapshotPolicy,
    streamId: string,
    toVersion: number,
  ): Promise<(Pick<Snapshot, 'version' | 'createdAt'> & { readonly state: State }) | undefined> {
    try {
      const query = { snapshotType: policy.snapshotType, schemaVersion: this.#aggregate.schemaVersion }
      const found = await this.#store.snapshots.atOrBefore(streamId, toVersion, query)
      if (found === undefined) return undefined
      return {
        version: found.version,
        createdAt: found.createdAt,
        state: this.#aggregate.decode(found.state),
      }
    } catch (error) {
      report(policy, { operation: 'load', tenantId: this.#store.tenantId, streamId, error })
      return undefined
    }
  }
}
