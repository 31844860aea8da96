import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { isStoreClosedError } from '@varve/core'
import type { HealthState } from '../endpoints/health-state.js'
import { isSettled } from '../endpoints/health-state.js'
import type { ResolvedOptions } from '../options.js'
import { LEASE_MARGIN_MS } from '../options.js'
import type { Sender } from '../http/sender.js'
import type { Database } from '../sql/database.js'
import { outageDelay } from './backoff.js'
import { claim } from './claim.js'
import type { Claim, ClaimedJob } from './claim.js'
import { DatabaseClock } from './clock.js'
import { givenBack } from './decide.js'
import { deliver } from './deliver.js'
import type { DeliverContext } from './deliver.js'
import type { EndpointCache, ReadyEndpoint } from './endpoint-cache.js'
import { eventReader } from './events.js'
import { holdEndpoint } from './hold.js'
import { reclaimLost, renewLeases } from './leases.js'
import type { Outcome } from './outcome.js'
import { Settler } from './settler.js'
import { Wake } from './wake.js'

export interface WorkerContext {
  readonly database: Database
  readonly cache: EndpointCache
  readonly sender: Sender
  readonly options: ResolvedOptions
  /** Disables an endpoint that is gone, or has been failing for too long. */
  readonly disable: (endpointId: string, reason: 'gone' | 'failing') => Promise<void>
}

// somebody else has locked what is due: it is over in no time
const LOCKED_MS = 5
const RECLAIM_EVERY_MS = 5_000

// how many places' worth of jobs may be claimed ahead, and be on their way to the database
const AHEAD = 4
const ON_THEIR_WAY = 8

interface UnderWay {
  readonly job: ClaimedJob
  leasedAt: number
}

type Request = Parameters<typeof deliver>[1]

/** Claims jobs as places get free, sends them, and writes down what came of them. */
export class Worker {
  readonly #context: WorkerContext
  readonly #id = `${hostname()}:${process.pid}:${randomUUID()}`
  readonly #clock = new DatabaseClock()
  readonly #events: ReturnType<typeof eventReader>
  readonly #underWay = new Map<string, UnderWay>()
  /** On the wire. */
  #sending = 0
  /** Claimed, and about to be sent. */
  #waiting: Request[] = []
  /** How long requests take, of late. */
  #durationMs = 1_000
  /** How long it takes from asking for jobs to having them. */
  #claimMs = 0
  readonly #unsettled = new Set<string>()
  readonly #settler: Settler
  readonly #deliverContext: DeliverContext
  readonly #wake = new Wake()
  /** How often in a row, by what does not work. */
  readonly #failing = new Map<string, number>()
  readonly #background = new Set<Promise<void>>()
  #stopping = false
  #idle: (() => void) | undefined
  #over: Promise<void> | undefined
  #cursor = ''

  constructor(context: WorkerContext) {
    this.#context = context
    const { database, cache, options } = context
    this.#events = eventReader(database)
    this.#deliverContext = { sender: context.sender, options, now: () => this.#clock.now }
    this.#settler = new Settler({
      database,
      endpoint: (id) => cache.get(id),
      breakerFailures: options.breakerFailures,
      breakerCooldownMs: options.breakerCooldownMs,
      disableAfterMs: options.disableAfterMs,
      alarm: options.onAlarm,
      unsettled: this.#unsettled,
      settled: (outcomes, { accepted, exhausted }) => {
        this.#forget(outcomes)
        const gone = outcomes.filter(({ job, disable }) => disable === 'gone' && accepted.has(job.id))
        for (const id of new Set(gone.map(({ job }) => job.endpointId))) this.#disable(id, 'gone')
        for (const id of exhausted) this.#disable(id, 'failing')
      },
      dropped: (outcomes) => this.#forget(outcomes),
    })
  }

  /** Looks for jobs now. */
  readonly wake = (): void => this.#wake.now()

  /** Resolves when the worker has stopped. */
  run(): Promise<void> {
    this.#over ??= this.#work()
    return this.#over
  }

  /** Claims no more, lets what is on the wire finish within its timeout, and gives back what was not sent. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#wake.now()
    await this.#over
  }

  async #work(): Promise<void> {
    const { options } = this.#context
    const renewing = setInterval(() => this.#inBackground(this.#renew()), options.leaseMs / 4)
    const reclaiming = setInterval(
      () => this.#inBackground(this.#reclaim()),
      Math.min(RECLAIM_EVERY_MS, options.leaseMs),
    )
    this.#inBackground(this.#reclaim())
    try {
      await this.#claimLoop()
      await this.#drain()
    } finally {
      clearInterval(renewing)
      clearInterval(reclaiming)
      await Promise.all(this.#background)
    }
  }

  async #claimLoop(): Promise<void> {
    const { options } = this.#context
    let failures = 0
    while (!this.#stopping) {
      const free = this.#free()
      if (free <= 0) {
        await this.#wake.wait(options.leaseMs)
        continue
      }
      try {
        const begun = performance.now()
        const claimed = await this.#claim(free)
        failures = 0
        if (claimed.jobs.length > 0) {
          await this.#start(claimed)
          this.#claimMs += (performance.now() - begun - this.#claimMs) / 8
        } else await this.#wake.wait(this.#pause(claimed))
      } catch (error) {
        if (isStoreClosedError(error)) return
        if (failures++ === 1) {
          options.onAlarm({
            kind: 'database',
            message: `Jobs cannot be claimed (${codeOf(error)}); trying again.`,
          })
        }
        await this.#pauseFor(outageDelay(failures))
      }
    }
  }

  /** Jobs that could be used now: for free places, and a few ahead where places are free again in no time. */
  #free(): number {
    const { concurrency } = this.#context.options
    // as many as will be done while a claim is under way: no place waits for it, and hardly a job for a place
    const ahead = Math.min(AHEAD * concurrency, Math.floor((concurrency * this.#claimMs) / this.#durationMs))
    const places = concurrency + ahead - this.#sending - this.#waiting.length
    return Math.min(places, ON_THEIR_WAY * concurrency - this.#underWay.size)
  }

  async #claim(free: number): Promise<Claim> {
    const { database, cache, options } = this.#context
    const claimed = await claim(database, {
      free,
      workerId: this.#id,
      leaseMs: options.leaseMs,
      cursor: this.#cursor,
      endpointsOf: (session, revisions) => cache.load(session, revisions),
    })
    this.#clock.set(claimed.now)
    this.#cursor = claimed.cursor
    for (const [id, state] of claimed.health) this.#noteHealth(id, state)
    return claimed
  }

  #noteHealth(id: string, state: HealthState): void {
    if (isSettled(state, this.#context.cache.get(id)?.maxConcurrency ?? 1)) this.#unsettled.delete(id)
    else this.#unsettled.add(id)
  }

  #pause({ nextInMs }: Claim): number {
    const { pollIntervalMs } = this.#context.options
    if (nextInMs === undefined) return pollIntervalMs
    return Math.min(pollIntervalMs, Math.max(LOCKED_MS, nextInMs))
  }

  /** Waits so long, whatever wakes, unless it is the end. */
  async #pauseFor(ms: number): Promise<void> {
    const until = performance.now() + ms
    while (!this.#stopping && performance.now() < until) await this.#wake.wait(until - performance.now())
  }

  /** Sends what was claimed; all that goes wrong before gives it back. */
  async #start({ jobs }: Claim): Promise<void> {
    const leasedAt = performance.now()
    for (const job of jobs) this.#underWay.set(job.id, { job, leasedAt })
    let outcomes: Outcome[] = jobs.map((job) => givenBack(job))
    try {
      const events = await this.#events(jobs.map(({ position }) => position))
      const ready = await this.#readyEndpoints(jobs)
      outcomes = []
      for (const job of jobs) {
        const endpoint = this.#context.cache.get(job.endpointId)
        const target = ready.get(job.endpointId)
        if (endpoint === undefined || target === undefined || this.#stopping) outcomes.push(givenBack(job))
        else this.#waiting.push({ job, endpoint, ready: target, event: events.get(job.position) })
      }
    } finally {
      if (outcomes.length > 0) this.#settler.add(outcomes)
    }
    this.#pump()
  }

  /** Puts on the wire what there is a place for. */
  #pump(): void {
    while (this.#sending < this.#context.options.concurrency) {
      const request = this.#waiting.shift()
      if (request === undefined) return
      this.#sending++
      this.#inBackground(this.#send(request))
    }
  }

  async #send(request: Request): Promise<void> {
    const outcome = await deliver(this.#deliverContext, request)
    this.#sending--
    if (outcome.attempt !== undefined)
      this.#durationMs += (Math.max(1, outcome.attempt.durationMs) - this.#durationMs) / 16
    this.#settler.add([outcome])
    this.#pump()
    if (this.#sending === 0) this.#idle?.()
    this.#wake.now()
  }

  async #readyEndpoints(jobs: readonly ClaimedJob[]): Promise<Map<string, ReadyEndpoint>> {
    const { cache, database, options } = this.#context
    const ready = new Map<string, ReadyEndpoint>()
    for (const id of new Set(jobs.map(({ endpointId }) => endpointId))) {
      const endpoint = cache.get(id)
      if (endpoint === undefined) continue
      try {
        ready.set(id, await cache.ready(database.query, endpoint))
      } catch (error) {
        if (codeOf(error) !== 'VARVE_WEBHOOK_SECRET') throw error
        const message = (error as Error).message
        await holdEndpoint(database, id, message)
        options.onAlarm({ kind: 'key', endpointId: id, message })
      }
    }
    return ready
  }

  #forget(outcomes: readonly Outcome[]): void {
    for (const { job } of outcomes) this.#underWay.delete(job.id)
    this.#wake.now()
  }

  #disable(endpointId: string, reason: 'gone' | 'failing'): void {
    this.#inBackground(
      this.#context.disable(endpointId, reason).catch((error: unknown) => {
        const message = `The endpoint is to be disabled (${reason}), which failed (${codeOf(error)}).`
        this.#context.options.onAlarm({ kind: 'database', endpointId, message })
      }),
    )
  }

  /** Lets requests end by themselves, which takes no longer than their timeout; then gives up on them. */
  async #drain(): Promise<void> {
    const { options } = this.#context
    this.#settler.add(this.#waiting.splice(0).map(({ job }) => givenBack(job)))
    const timeouts = [...this.#underWay.values()].map(
      ({ job }) => this.#context.cache.get(job.endpointId)?.timeoutMs ?? 0,
    )
    const timer = setTimeout(
      () => this.#context.sender.giveUp(this.#deliverContext),
      Math.max(options.timeoutMs, ...timeouts) + LEASE_MARGIN_MS,
    )
    const quiet = new Promise<void>((resolve) => (this.#idle = resolve))
    if (this.#sending > 0) await quiet
    clearTimeout(timer)
    await this.#settler.finish(options.leaseMs)
  }

  async #renew(): Promise<void> {
    const { database, options } = this.#context
    const due = performance.now() - options.leaseMs / 4
    const old = [...this.#underWay.values()].filter(({ leasedAt }) => leasedAt < due)
    await this.#tryNow('Leases cannot be renewed', async () => {
      const asked = performance.now()
      await renewLeases(
        database,
        old.map(({ job }) => job),
        options.leaseMs,
      )
      for (const entry of old) entry.leasedAt = asked
    })
  }

  async #reclaim(): Promise<void> {
    if (this.#stopping) return
    await this.#tryNow('Jobs of workers that are gone cannot be taken back', async () => {
      if ((await reclaimLost(this.#context.database)) > 0) this.#wake.now()
    })
  }

  /** What is done again in a while by itself, and told when it fails twice in a row. */
  async #tryNow(problem: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#failing.delete(problem)
    } catch (error) {
      if (isStoreClosedError(error)) return
      const failures = (this.#failing.get(problem) ?? 0) + 1
      this.#failing.set(problem, failures)
      if (failures !== 2) return
      const message = `${problem} (${codeOf(error)}); trying again.`
      this.#context.options.onAlarm({ kind: 'database', message })
    }
  }

  #inBackground(work: Promise<void>): void {
    this.#background.add(work)
    const over = (): void => void this.#background.delete(work)
    work.then(over, over)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
