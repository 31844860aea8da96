import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { InvalidArgumentError, ProjectionFaultedError, sleep, StoreClosedError } from '@varve/core'
import type { LeaseReport, Projection, ProjectionRunner } from '@varve/core'
import { toStoreError } from '../failure.js'
import { keyText } from './key.js'
import type { ProjectionKey } from './key.js'
import { Leases } from './leases.js'
import type { Lease } from './leases.js'
import { glanceAt } from './glance.js'
import { tell } from './run-context.js'
import type { RunContext } from './run-context.js'
import { gifts, wishes } from './spread.js'
import { mayPass } from './tail.js'
import { Task } from './task.js'

/** How often a runner looks after its leases, and what somebody else did to its projections. */
const TICK_MS = 1_000

interface Leading {
  readonly epoch: number
  readonly abort: AbortController
  /** Its lease is given back by then, or handed over. */
  readonly ended: Promise<void>
  /** Who gets the lease when the piece that is under way is done. */
  heir?: string
  /** Somebody else has the lease. */
  isLost?: boolean
}

interface Member<Client> {
  readonly task: Task<Client>
  /** The newest epoch under which it was led here. */
  epoch: number
  leading: Leading | undefined
}

/** Projections under way in this process: keeps their leases, and has those run that it got. */
export class Runner<Client> implements ProjectionRunner {
  readonly #run: RunContext<Client>
  readonly #leases: Leases
  readonly #owner = `${hostname()}:${process.pid}:${randomUUID()}`
  readonly #members: readonly Member<Client>[]
  readonly #stopping = new AbortController()
  readonly #watchers = new Set<() => void>()
  #nudge = new AbortController()
  #renewedAt = -Infinity
  #failure: unknown
  readonly #over: Promise<void>
  readonly #forget: () => void

  constructor(
    run: RunContext<Client>,
    projections: readonly { key: ProjectionKey; projection: Projection<Client> }[],
  ) {
    this.#run = run
    this.#leases = new Leases(run.driver, run.dialect)
    this.#members = projections.map(({ key, projection }) => ({
      leading: undefined,
      epoch: 0,
      task: new Task(run, projection, key, {
        changed: () => this.#changed(),
        nameConnection: (connection) => this.#leases.nameConnection(key, this.#owner, connection),
      }),
    }))
    const { signal } = run.options
    const stop = (): void => this.#stopping.abort()
    if (signal?.aborted === true) stop()
    signal?.addEventListener('abort', stop, { once: true })
    const unlisten = run.tail.onProjectionsChanged(() => this.#nudge.abort())
    this.#forget = () => {
      signal?.removeEventListener('abort', stop)
      unlisten()
    }
    this.#stopping.signal.addEventListener('abort', () => this.#nudge.abort())
    this.#over = run.tail.outside(() => this.#keep())
  }

  /** Resolves when it has stopped, for whatever reason. */
  get over(): Promise<void> {
    return this.#over
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#over
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async caughtUp(): Promise<void> {
    this.#refuseStopped()
    const { high } = await this.#look()
    await Promise.all(this.#members.map(({ task }) => this.#reached(task, high)))
  }

  async #look(): Promise<{ high: number }> {
    for (;;) {
      try {
        return await this.#run.dialect.settled.look()
      } catch (error) {
        if (this.#stopping.signal.aborted || !mayPass(this.#run.driver, error))
          throw toStoreError(this.#run.driver, error)
        await sleep(50)
      }
    }
  }

  #refuseStopped(): void {
    if (this.#run.lifecycle.isClosing) throw new StoreClosedError()
    if (!this.#stopping.signal.aborted) return
    throw new InvalidArgumentError(
      'runner',
      'it was stopped, and does not catch up any more; run the projections again',
    )
  }

  /** Whichever process leads. */
  async #reached(task: Task<Client>, position: number): Promise<void> {
    for (;;) {
      this.#refuseStopped()
      if (task.state === 'superseded') {
        throw new ProjectionFaultedError(
          `${task.key.name} v${task.key.version}`,
          'a newer version has taken over',
        )
      }
      if (this.#failure !== undefined) throw this.#failure
      try {
        if (await this.#isThere(task, position)) return
      } catch (error) {
        this.#refuseStopped()
        if (error === task.lastError) throw error
        if (!mayPass(this.#run.driver, error)) throw toStoreError(this.#run.driver, error)
      }
      await this.#change(task.state === 'leading' ? 100 : 25)
    }
  }

  async #isThere(task: Task<Client>, position: number): Promise<boolean> {
    const own = task.row
    const free = own?.status === 'running' || own?.status === 'rebuilding'
    if (free && task.position < position && !task.isWaiting) return false
    // what somebody did to it a moment ago is told by the table
    const seen = (await glanceAt(this.#run, [task.key.name])).get(keyText(task.key))
    if (own === undefined && !(await this.#hasLeader(task.key))) {
      // whoever takes it over looks whether its checkpoint is sound, and tries a faulted one once more
      const error = task.lastError
      if (error !== undefined && !mayPass(this.#run.driver, error)) {
        await this.#standsStill(task)
        throw error
      }
      return false
    }
    if (seen === undefined) return false
    if (own !== undefined) {
      task.glance(seen, seen.retryRequested)
      if (task.isBusy || seen.lastPosition < own.lastPosition) return false
    }
    if (seen.retryRequested) return false
    if (seen.status === 'faulted' || seen.status === 'paused') return this.#standsStill(task)
    const reached = own === undefined ? seen.lastPosition : task.position
    return seen.status === 'running' && seen.pendingStep === undefined && reached >= position
  }

  async #standsStill(task: Task<Client>): Promise<boolean> {
    const row = await this.#run.checkpoints.read(this.#run.query, task.key)
    if (row?.status === 'faulted' || row?.status === 'paused') throw task.faultedError(row)
    return false
  }

  async #hasLeader(key: ProjectionKey): Promise<boolean> {
    const leases = await this.#leases.read(this.#run.query, [key.name])
    return leases.some(
      (lease) =>
        keyText(lease) === keyText(key) &&
        !lease.expired &&
        lease.owner !== '' &&
        lease.owner !== this.#owner,
    )
  }

  /** Waits for something to change, but not for long. */
  #change(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.#watchers.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#watchers.add(wake)
    })
  }

  #changed(): void {
    for (const wake of this.#watchers) wake()
  }

  async #keep(): Promise<void> {
    const { leaseMs } = this.#run.options
    const every = Math.min(TICK_MS, leaseMs / 4)
    while (!this.#stopping.signal.aborted) {
      if (this.#nudge.signal.aborted) this.#nudge = new AbortController()
      try {
        await this.#tick()
        this.#failure = undefined
      } catch (error) {
        if (!mayPass(this.#run.driver, error)) this.#failure = toStoreError(this.#run.driver, error)
        this.#changed()
      }
      // abort may have come while it ticked
      if (!this.#stopping.signal.aborted) await sleep(every, this.#nudge.signal).catch(() => undefined)
    }
    this.#forget()
    const led = this.#members.flatMap(({ leading }) => leading ?? [])
    for (const { abort } of led) abort.abort()
    await Promise.all(led.map(({ ended }) => ended))
    // what was handed over to it meanwhile need not run out first
    await this.#leases.leave(this.#owner).catch(() => undefined)
    this.#changed()
  }

  async #tick(): Promise<void> {
    const { leaseMs } = this.#run.options
    if (
      this.#members.some(({ leading }) => leading !== undefined) &&
      performance.now() - this.#renewedAt > leaseMs / 3
    ) {
      const begun = performance.now()
      await this.#leases.renew(this.#owner, leaseMs)
      this.#renewedAt = begun
    }
    const names = [...new Set(this.#members.map(({ task }) => task.key.name))]
    const leases = new Map(
      (await this.#leases.read(this.#run.query, names)).map((lease) => [keyText(lease), lease]),
    )
    for (const member of this.#members) await this.#lookAfter(member, leases.get(keyText(member.task.key)))
    await this.#spread(leases)
    const glances = await glanceAt(this.#run, names)
    for (const { task } of this.#members) {
      const seen = glances.get(keyText(task.key))
      task.glance(seen, seen?.retryRequested ?? false)
    }
  }

  async #lookAfter(member: Member<Client>, lease: Lease | undefined): Promise<void> {
    const { task, leading } = member
    if (task.state === 'superseded' || this.#stopping.signal.aborted) return
    if (leading !== undefined) {
      if (lease?.owner === this.#owner && lease.epoch === leading.epoch) return
      // not waited for: others are renewed while its handler comes to an end
      leading.isLost = true
      leading.abort.abort()
      return
    }
    if (lease !== undefined && !lease.expired) {
      if (lease.owner !== this.#owner) return
      if (lease.epoch > member.epoch) this.#lead(member, lease.epoch)
      // the database was away when it was to be given back; renewed with the others, it would belong to nobody for ever
      else await this.#leases.release(task.key, this.#owner)
      return
    }
    const { leaseMs } = this.#run.options
    const { consume } = this.#run.dialect
    const epoch = await this.#leases.acquire(task.key, this.#owner, lease, leaseMs)
    if (epoch === undefined) return
    if (lease?.connection !== undefined) await consume.evict?.(this.#run.driver, lease.connection)
    this.#lead(member, epoch)
  }

  #lead(member: Member<Client>, epoch: number): void {
    const { task } = member
    if (this.#renewedAt === -Infinity) this.#renewedAt = performance.now()
    this.#tell(member, epoch, 'acquired')
    member.epoch = epoch
    const abort = new AbortController()
    const leading: Leading = {
      epoch,
      abort,
      ended: task.lead(epoch, abort.signal).then(() => this.#ended(member, leading)),
    }
    member.leading = leading
  }

  /** So that no process has all the shards while others have none. */
  async #spread(read: ReadonlyMap<string, Lease>): Promise<void> {
    if (this.#stopping.signal.aborted) return
    const leases = this.#members.flatMap(({ task }) => read.get(keyText(task.key)) ?? [])
    for (const lease of wishes(leases, this.#owner)) await this.#leases.want(lease, this.#owner)
    for (const lease of gifts(leases, this.#owner)) {
      const leading = this.#members.find(({ task }) => keyText(task.key) === keyText(lease))?.leading
      if (leading === undefined || leading.abort.signal.aborted) continue
      leading.heir = lease.wantedBy
      leading.abort.abort()
    }
  }

  /** It was asked to end, or has come to its end by itself: superseded, or it found out that the lease is gone. */
  async #ended(member: Member<Client>, leading: Leading): Promise<void> {
    const { epoch, abort, heir } = leading
    const { key, state } = member.task
    const isLost = leading.isLost === true || (!abort.signal.aborted && state !== 'superseded')
    try {
      if (heir === undefined) await this.#leases.release(key, this.#owner)
      else await this.#leases.handOver(key, this.#owner, heir, this.#run.options.leaseMs)
      this.#run.tail.projectionsChanged()
    } catch {
      // it is given back with the next tick, or runs out
    }
    member.leading = undefined
    this.#tell(member, epoch, isLost ? 'lost' : 'released')
  }

  #tell(member: Member<Client>, epoch: number, event: LeaseReport['event']): void {
    const { tenantId, name, version, shard } = member.task.key
    const label = { projection: name, version, shard, ...(tenantId !== '' && { tenantId }) }
    tell(this.#run.options.onLease, { ...label, epoch, event })
  }
}
