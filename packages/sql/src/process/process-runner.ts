import { sleep } from '@varve/core'
import type { LeaseReport, ProjectionRunner } from '@varve/core'
import type { Tail } from '../consume/tail.js'
import { carryOut, type CarryOutContext } from './carry-out.js'

/** How often a leader looks when nothing tells it to. */
const LOOK_MS = 1_000

export interface ProcessMember extends Omit<CarryOutContext, 'goesOn'> {
  readonly projection: string
  /** How many events its projection has handled, in whichever process. */
  readonly handled: () => Promise<number>
}

/** Processes under way in this process of the operating system: their projections, and what those have asked for. */
export class ProcessRunner implements ProjectionRunner {
  readonly #projections: ProjectionRunner
  readonly #members: readonly ProcessMember[]
  readonly #leading = new Set<string>()
  readonly #stopping = new AbortController()
  readonly #over: Promise<void>
  readonly #turns = new Map<string, Promise<number>>()
  readonly #wakes = new Map<string, AbortController>()

  constructor(
    members: readonly ProcessMember[],
    tail: Pick<Tail, 'outside'>,
    start: (hooks: { onLease: (report: LeaseReport) => void; onBatch: () => void }) => ProjectionRunner,
  ) {
    this.#members = members
    this.#projections = start({
      onLease: ({ projection, event }) => {
        if (event === 'acquired') this.#leading.add(projection)
        else this.#leading.delete(projection)
        this.#wake()
      },
      onBatch: () => this.#wake(),
    })
    this.#over = tail.outside(() => this.#keep())
  }

  /** Resolves when it has stopped. */
  get over(): Promise<void> {
    return this.#over
  }

  /** Until the reactions to what was carried out, here or elsewhere, have led to nothing more. */
  async caughtUp(): Promise<void> {
    for (;;) {
      await this.#projections.caughtUp()
      const before = await this.#handled()
      await Promise.all(this.#members.map((member) => this.#turn(member)))
      if (await this.#anythingDue()) continue
      // all that was asked for is in the log by now: nothing more is asked for when there is no reaction to it
      await this.#projections.caughtUp()
      if ((await this.#handled()) === before) return
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake()
    await Promise.all([this.#over, this.#projections.stop()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #handled(): Promise<number> {
    const counts = await Promise.all(this.#members.map(({ handled }) => handled()))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  async #anythingDue(): Promise<boolean> {
    for (const { tables, query, key } of this.#members) {
      const dueIn = await tables.nextDue(query, key)
      if (dueIn !== undefined && dueIn <= 0) {
        // somebody else leads, or it was put off for a moment
        await sleep(10)
        return true
      }
    }
    return false
  }

  /** Each by itself: a command that takes its time keeps no other process waiting. */
  async #keep(): Promise<void> {
    await Promise.all(this.#members.map((member) => this.#carry(member)))
    // those of `caughtUp` too
    await Promise.allSettled(this.#turns.values())
  }

  async #carry(member: ProcessMember): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      const wake = this.#wakeOf(member)
      // the database may be away: it is tried again
      const waitMs = await this.#round(member).catch(() => LOOK_MS)
      if (waitMs > 0 && !this.#stopping.signal.aborted) await sleep(waitMs, wake).catch(() => undefined)
    }
  }

  #wakeOf({ projection }: ProcessMember): AbortSignal {
    const wake = new AbortController()
    this.#wakes.set(projection, wake)
    return wake.signal
  }

  #wake(): void {
    for (const wake of this.#wakes.values()) wake.abort()
  }

  /** Gives the milliseconds until there may be something to do again. */
  async #round(member: ProcessMember): Promise<number> {
    if (!this.#leading.has(member.projection)) return LOOK_MS
    const done = await this.#turn(member)
    if (done > 0) return 0
    return Math.max(10, (await member.tables.nextDue(member.query, member.key)) ?? LOOK_MS)
  }

  /** One at a time: two that carry out the same would do it twice, to no harm but for nothing. */
  #turn(member: ProcessMember): Promise<number> {
    const goesOn = (): boolean => !this.#stopping.signal.aborted && this.#leading.has(member.projection)
    const before = this.#turns.get(member.projection) ?? Promise.resolve(0)
    const turn = before.catch(() => 0).then(() => (goesOn() ? carryOut({ ...member, goesOn }) : 0))
    this.#turns.set(member.projection, turn)
    return turn
  }
}
