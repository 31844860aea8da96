import { isEventStoreError, LeaseLostError } from '@varve/core'
import type { ErrorReport, Projection } from '@varve/core'
import type { Checkpoint } from './checkpoint.js'
import type { ProjectionKey } from './key.js'
import { checkIdentity } from './log-identity.js'
import { parkedStream } from './parked.js'
import { tell } from './run-context.js'
import type { RunContext } from './run-context.js'
import { Superseded } from './start.js'

/** A checkpoint that only passes over events of others is written at most so often. */
export const PASSING_EVERY_MS = 500

export interface LeadHooks {
  /** Something moved that somebody may wait for. */
  readonly changed: () => void
  /** Pieces run on this connection from now on. */
  readonly nameConnection: (connection: string) => Promise<void>
}

/** The checkpoint of a projection that is led here, as this process has left it, and what it knows beside it. */
export class LedCheckpoint<Client> {
  readonly run: RunContext<Client>
  readonly projection: Projection<Client>
  readonly key: ProjectionKey
  readonly #hooks: LeadHooks
  row: Checkpoint | undefined
  /** Everything up to here was dealt with; the row may lie behind it, where there was nothing to do. */
  position = 0
  /** Streams whose events wait behind a parked one. */
  parkedStreams: Set<string> = new Set()
  retryRequested = false
  /** Somebody else may have changed the row: it is read again before anything else is done. */
  isStale = false
  lastError: unknown
  #connection: string | undefined
  #writtenAt = 0

  constructor(run: RunContext<Client>, projection: Projection<Client>, key: ProjectionKey, hooks: LeadHooks) {
    this.run = run
    this.projection = projection
    this.key = key
    this.#hooks = hooks
  }

  /** @throws LeaseLostError */
  get current(): Checkpoint {
    if (this.row === undefined) throw this.#lost()
    return this.row
  }

  /** Nothing is done until somebody resumes it. */
  get standsStill(): boolean {
    return this.row?.status === 'paused' || this.row?.status === 'faulted'
  }

  changed(): void {
    this.#hooks.changed()
  }

  forget(): void {
    this.row = undefined
    this.#connection = undefined
    this.changed()
  }

  /**
   * Reads the row, and what is parked; a checkpoint of another log is faulted.
   *
   * @throws LeaseLostError, Superseded
   */
  async read(epoch: number): Promise<void> {
    const { checkpoints, query, parked } = this.run
    const row = await checkpoints.read(query, this.key)
    if (row === undefined || row.epoch !== epoch) {
      this.row = undefined
      await this.#refuseSuperseded()
      throw this.#lost()
    }
    this.row = row
    this.position = row.lastPosition
    this.parkedStreams = await parked.streams(query, this.key)
    if (this.parkedStreams.size > 0) this.retryRequested = true
    if (this.standsStill || row.pendingStep !== undefined) return
    try {
      await checkIdentity(this.run, row)
    } catch (error) {
      if (!isEventStoreError(error) || error.retryable) throw error
      if (await this.fault(error, '')) this.isStale = false
    }
  }

  /** A piece was committed. */
  moved(row: Checkpoint): void {
    this.row = row
    this.position = row.lastPosition
    this.#writtenAt = performance.now()
    this.changed()
  }

  parkedBehind(event: { readonly tenantId: string; readonly streamId: string }): void {
    this.parkedStreams.add(parkedStream(event))
  }

  /** Whether the row lies behind the position, for longer than it should. */
  get isPassingDue(): boolean {
    return this.isPassing && performance.now() - this.#writtenAt >= PASSING_EVERY_MS
  }

  get isPassing(): boolean {
    return this.row !== undefined && this.position > this.row.lastPosition
  }

  /** Writes how far the log has been passed over, where there was nothing to handle. */
  async writePosition(): Promise<void> {
    const { row, position } = this
    if (row === undefined || row.pendingStep !== undefined || position <= row.lastPosition) return
    if (this.standsStill) return
    const { driver, checkpoints } = this.run
    const to = { position, event: undefined, applied: 0 }
    const kept = await driver.transaction((session) => checkpoints.advance(session, row, to))
    this.#writtenAt = performance.now()
    if (kept) this.row = { ...row, lastPosition: position }
    else this.isStale = true
  }

  /**
   * It stands still from now on; `where` completes the message. Unless somebody asked something of it meanwhile, which is not
   * to be undone: then it is only read again. Gives whether it stands still.
   */
  async fault(error: unknown, where: string): Promise<boolean> {
    const row = this.current
    const { driver, checkpoints } = this.run
    const message = messageOf(error)
    this.isStale = true
    const done = await driver.transaction((session) =>
      checkpoints.fault(session, row, `${message.replace(/\.$/, '')}${where}`),
    )
    if (!done) return false
    this.lastError = error
    this.report({ error, action: 'stop' })
    this.row = { ...row, status: 'faulted', errorMessage: message }
    this.changed()
    return true
  }

  /** Before the first statement of a piece: on engines that have to end it, others learn whose it is. */
  async begun(client: Client): Promise<void> {
    const name = this.run.dialect.consume.connectionName?.(client)
    if (name === undefined || name === this.#connection) return
    await this.#hooks.nameConnection(name)
    this.#connection = name
  }

  get label() {
    const { tenantId, name, version, shard } = this.key
    return { projection: name, version, shard, ...(tenantId !== '' && { tenantId }) }
  }

  report(what: Pick<ErrorReport, 'error' | 'action' | 'position'>): void {
    tell(this.run.options.onError, { ...this.label, ...what })
  }

  async #refuseSuperseded(): Promise<void> {
    const { checkpoints, query } = this.run
    const rows = await checkpoints.named(query, this.key.tenantId, this.key.name)
    if (rows.some((row) => row.version > this.key.version && row.inCharge)) throw new Superseded()
  }

  #lost(): LeaseLostError {
    return new LeaseLostError(
      `Another process runs projection '${this.key.name}' by now. What was under way here was rolled back; it does that again.`,
    )
  }
}

/** What an error says, as every database can keep it. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.slice(0, 2_000).toWellFormed().replaceAll('\0', '\ufffd')
}
