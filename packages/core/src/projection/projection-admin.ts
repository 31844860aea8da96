import type { Blocker } from '../errors.js'
import type { Projection } from './projection.js'

/** `running`; `paused` by `pause`; `rebuilding` until it has caught up; `faulted`: it stands still, `errorMessage` says why. */
export type ProjectionStatus = 'running' | 'paused' | 'rebuilding' | 'faulted'

/** One shard's part of a projection, a row of `projection_checkpoints`. */
export interface ShardInfo {
  readonly shard: number
  readonly status: ProjectionStatus
  readonly errorMessage?: string
  /** Everything up to here was applied, skipped by policy, or parked. */
  readonly lastPosition: number
  readonly lastProcessedAt?: Date
  readonly eventsProcessed: number
  /** Raised with each take-over. */
  readonly epoch: number
  /** Who runs it; absent while nobody does. */
  readonly owner?: string
}

/** A projection in one version, as its checkpoints tell. */
export interface ProjectionInfo {
  /** Absent for a projection over all tenants. */
  readonly tenantId?: string
  readonly name: string
  readonly version: number
  /** The worst of its shards'. */
  readonly status: ProjectionStatus
  readonly errorMessage?: string
  /** The lowest of its shards'. */
  readonly lastPosition: number
  readonly lastProcessedAt?: Date
  readonly eventsProcessed: number
  readonly lag: {
    /** Events of its tenants beyond the checkpoint, counted one by one; 0 when there are none. */
    readonly events: number
    /** Since the oldest of them was recorded, by the database's clock; 0 when there are none. */
    readonly seconds: number
  }
  readonly parkedEvents: number
  readonly shards: readonly ShardInfo[]
  /** Whom it waits for, when an append under way keeps all readers waiting. */
  readonly blocker?: Blocker
}

/** What a runner has committed. */
export interface BatchReport {
  readonly projection: string
  readonly version: number
  readonly tenantId?: string
  readonly shard: number
  /** Events that were applied. */
  readonly events: number
  readonly lastPosition: number
  readonly durationMs: number
}

/** An event, or a step of the projection's own, that failed. */
export interface ErrorReport {
  readonly projection: string
  readonly version: number
  readonly tenantId?: string
  readonly shard: number
  /** Of the event; absent when a step (`setUp`, `reset`, `takeOver`) or the database failed. */
  readonly position?: number
  readonly error: unknown
  /** What is done about it: `retry` at an event's, `restart` at the database's failure. */
  readonly action: 'stop' | 'skip' | 'park' | 'retry' | 'restart'
}

export interface LeaseReport {
  readonly projection: string
  readonly version: number
  readonly tenantId?: string
  readonly shard: number
  readonly epoch: number
  readonly event: 'acquired' | 'lost' | 'released'
}

export interface RunOptions {
  /** Events read at a time; as the store's preset says when absent. */
  batchSize?: number
  /**
   * Events handed over and committed at a time. When absent, as the store's preset says; and a whole batch as long as the
   * projection is further behind than that.
   */
  checkpointEvery?: number
  /** How long a runner that has died keeps its projections from others; 10,000 when absent. */
  leaseMs?: number
  /** Stops the runner when it aborts. */
  signal?: AbortSignal
  /** Called after each commit. What these throw is ignored. */
  onBatch?: (report: BatchReport) => void
  /** When absent, a projection that comes to a stop is a process warning. */
  onError?: (report: ErrorReport) => void
  onLease?: (report: LeaseReport) => void
}

/** Projections under way in this process. */
export interface ProjectionRunner extends AsyncDisposable {
  /**
   * Waits until the projections have everything that was committed before the call, whichever process runs them.
   *
   * @throws ProjectionFaultedError when one of them stands still, faulted, paused or replaced by a newer version.
   */
  caughtUp(): Promise<void>
  /** Lets what is under way commit, and gives the leases back, so that others take over at once. */
  stop(): Promise<void>
}

export interface ParkedEvent {
  readonly tenantId: string
  readonly streamId: string
  readonly position: number
  readonly eventId: string
  readonly eventType: string
  readonly version: number
  readonly errorMessage: string
  /** Tries so far; 0 for an event that only waits behind another one of its stream. */
  readonly attempts: number
  readonly parkedAt: Date
}

/** Which of a projection's parked events; all of them when nothing is said. */
export interface ParkedFilter {
  /** Of the projection; of all that have parked events when absent. */
  version?: number
  /** Of the events. */
  tenantId?: string
  streamId?: string
}

/**
 * Looking after projections, in whichever process they run: it goes through the tables, and takes effect with the runner's
 * next commit, or within about a second. The handle of a tenant sees that tenant's; the store that was opened sees all of
 * them, and acts on those of its own tenant and on those over all tenants.
 */
export interface ProjectionAdmin<Client = unknown> {
  /**
   * Runs projections until stopped. Start it in as many processes as you like: each projection (each shard) runs in one of
   * them at a time, and moves to another one when that dies or stops. They are spread evenly: what has fewer than another by
   * two or more is handed some.
   *
   * @throws InvalidArgumentError for the same projection and version twice, or one over all tenants on a tenant's handle.
   */
  run(projections: readonly Projection<Client>[], options?: RunOptions): ProjectionRunner
  /** By name and version. */
  list(): Promise<ProjectionInfo[]>
  /** One version, the one in charge when absent. */
  get(name: string, version?: number): Promise<ProjectionInfo | undefined>
  /** Twice is no error. What is under way may be rolled back, and is done again after `resume`. */
  pause(name: string, version?: number): Promise<void>
  /** Ends a pause, or gives a faulted projection another try. */
  resume(name: string, version?: number): Promise<void>
  /**
   * Moves the checkpoint, and nothing else: what lies behind `position` is handled again, what was skipped is not handled.
   *
   * @throws InvalidArgumentError for a position that is not settled yet.
   */
  reset(name: string, position: number, version?: number): Promise<void>
  /**
   * Empties the model (`reset` of the projection) and folds the log again from its beginning, in place. To rebuild beside
   * what readers see, raise the projection's `version` instead.
   */
  rebuild(name: string, version?: number): Promise<void>
  readonly parked: {
    /** By position. */
    list(name: string, filter?: ParkedFilter): Promise<ParkedEvent[]>
    /** Asks the runner to handle them again, stream by stream in their order. Resolves to how many were asked for. */
    retry(name: string, filter?: ParkedFilter): Promise<number>
    /** Gives them up. Resolves to how many there were. */
    discard(name: string, filter?: ParkedFilter & { position?: number }): Promise<number>
  }
}
