import { PartitionError } from '@varve/core'
import type { LogParts, LogStretch, Query, SqlDriver } from '@varve/sql'
import { inside, knownPartition, knownPartitions, outside, rangesOf } from './known-partitions.js'
import type { Gap, KnownPartition, KnownPartitions } from './known-partitions.js'
import type { PartitionNames } from './names.js'

interface PartitionStretch extends LogStretch {
  readonly generation: string
}

/** Events of a page at most: months that hold fewer are read together. */
const PAGE = 1_000

const literal = (time: string): string => `'${time}'::timestamptz`

/**
 * Which partitions a read needs. A closed month has a range of positions that does not change any more; all others may
 * hold anything from the first position on that lies outside of the closed ones. What is known here may be out of date: each statement therefore gives nothing when
 * the partitions have changed, and is then made anew.
 */
export class PartitionMap implements LogParts {
  readonly #driver: Pick<SqlDriver, 'query'>
  readonly #names: PartitionNames
  readonly #settled: () => Promise<number>
  #known: KnownPartitions | undefined
  #loading: Promise<KnownPartitions> | undefined

  constructor(driver: Pick<SqlDriver, 'query'>, names: PartitionNames, settled: () => Promise<number>) {
    this.#driver = driver
    this.#names = names
    this.#settled = settled
  }

  stretch(range: { after: number; until: number; direction: 'forwards' | 'backwards' }): Promise<LogStretch> {
    return this.#upToDate((known) =>
      range.direction === 'forwards' ? this.#forwards(known, range) : this.#backwards(known, range),
    )
  }

  whole(after: number, until: number): Promise<LogStretch> {
    return this.#upToDate((known) => {
      const gap = known.gaps.find(({ from, to }) => to > after && from <= until)
      return this.#part(known, after, until, gap)
    })
  }

  async changed(stretch: LogStretch): Promise<boolean> {
    const [row] = await this.#driver.query(
      `select value from ${this.#names.on('varve_meta')} where name = 'partitions'`,
    )
    if (row?.[0] === (stretch as PartitionStretch).generation) return false
    await this.#load()
    return true
  }

  async gone(query: Query, from: Date, to: Date, missing: string): Promise<Error | undefined> {
    const rows = await query(
      `select name from ${this.#names.on('event_partitions')} where detached_at is not null ` +
        'and starts_at <= $2 and ends_at > $1 order by starts_at',
      [from.toISOString(), new Date(to.getTime() + 1).toISOString()],
    )
    if (rows.length === 0) return undefined
    return new PartitionError(
      `${missing} cannot be read: dropped with ${named(rows.map(([name]) => String(name)))}. ` +
        "Read from a later version on (from a snapshot, or fromVersion), or restore the month's archive.",
    )
  }

  gap(from: string, to: string): string {
    return (
      `exists (select from ${this.#names.on('event_partitions')} p where p.detached_at is not null ` +
      `and p.starts_at <= ${to} and p.ends_at > ${from})`
    )
  }

  /** For `SettledPositions`: what was closed is settled, also when it was dropped meanwhile. */
  readonly highest = (): string => {
    const open = this.#known === undefined ? 'true' : outside(closedRanges(this.#known), literal)
    return (
      `greatest((select coalesce(max(position), 0) from ${this.#names.events} where ${open}), ` +
      `(select coalesce(max(last_position), 0) from ${this.#names.on('event_partitions')}))`
    )
  }

  #forwards(known: KnownPartitions, { after, until }: { after: number; until: number }): LogStretch {
    const gap = known.gaps.find(({ to }) => to > after)
    if (gap !== undefined && gap.from <= after + 1)
      return this.#part(known, after, Math.min(until, gap.to), gap)
    let end = gap === undefined ? until : Math.min(until, gap.from - 1)
    const month = known.present.find(({ last }) => last >= after + PAGE)
    if (month !== undefined && month.first <= end) end = Math.min(end, month.last)
    // behind it open months take part
    if (after + PAGE <= known.boundary) end = Math.min(end, known.boundary)
    return this.#part(known, after, end)
  }

  #backwards(known: KnownPartitions, { after, until }: { after: number; until: number }): LogStretch {
    const gap = known.gaps.findLast(({ from }) => from <= until)
    if (gap !== undefined && gap.to >= until)
      return this.#part(known, Math.max(after, gap.from - 1), until, gap)
    let begin = gap === undefined ? after : Math.max(after, gap.to)
    const month = known.present.findLast(({ first }) => first <= until - PAGE)
    if (month !== undefined) {
      begin = Math.max(begin, month.last <= until - PAGE ? month.last : month.first - 1)
      if (until - PAGE >= known.boundary) begin = Math.max(begin, known.boundary)
    }
    return this.#part(known, begin, until)
  }

  #part(known: KnownPartitions, after: number, until: number, gap?: Gap): PartitionStretch {
    const holds = (partition: KnownPartition): boolean =>
      partition.gone === undefined && partition.last > after && partition.first <= until
    const meta = `(select value from ${this.#names.on('varve_meta')} where name = 'partitions')`
    return {
      after,
      until,
      generation: known.generation,
      where: (bind) => {
        // at the end of the log, where most pages are read, the text stays the same, and with it the plan
        const time = known.present.some(holds) ? bind : literal
        const where =
          until <= known.boundary
            ? inside(rangesOf(known, holds), time)
            : outside(
                rangesOf(known, (partition) => !holds(partition)),
                time,
              )
        return `${where} and ${meta} = ${bind(known.generation)}`
      },
      ...(gap !== undefined && { gone: outOfTheLog(known, gap) }),
    }
  }

  /** What is gone may have been restored: that is asked at once, all else by the statement that uses the stretch. */
  async #upToDate(make: (known: KnownPartitions) => LogStretch): Promise<LogStretch> {
    for (;;) {
      const stretch = make(this.#known ?? (await this.#load()))
      if (stretch.gone === undefined || !(await this.changed(stretch))) return stretch
    }
  }

  #load(): Promise<KnownPartitions> {
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined
    })
    return this.#loading
  }

  async #read(): Promise<KnownPartitions> {
    const { on, events } = this.#names
    const rows = await this.#driver.query(
      "select m.value, p.name, p.starts_at at time zone 'UTC', p.ends_at at time zone 'UTC', p.first_position, " +
        'p.last_position, a.name is not null, p.dropped_at is not null ' +
        `from ${on('varve_meta')} m left join ${on('event_partitions')} p on p.closed_at is not null ` +
        `left join ${on('attached_partitions')}() a on a.name = p.name where m.name = 'partitions' order by p.starts_at`,
    )
    const generation = (rows[0]?.[0] ?? '') as string
    const all = rows.filter((row) => row[1] !== null).map((row) => knownPartition(row.slice(1)))
    // in this order: what is settled by then, and still not there, will never be
    const settled = await this.#settled()
    const closed = knownPartitions(generation, all, Infinity, 0)
    const [row] = await this.#driver.query(
      `select min(position) from ${events} where ${outside(closedRanges(closed), literal)}`,
    )
    const known = knownPartitions(generation, all, row?.[0] === null ? Infinity : Number(row?.[0]), settled)
    this.#known = known
    return known
  }
}

const closedRanges = (known: KnownPartitions): [string, string][] => rangesOf(known, () => true)

function outOfTheLog({ gaps, present }: KnownPartitions, gap: Gap): Error {
  // months that went with it, up to the next that is still there
  const next = present.find(({ first }) => first > gap.to)?.first ?? Infinity
  const run = gaps.filter(({ from, to }) => from >= gap.from && to < next)
  const last = run.at(-1)?.to ?? gap.to
  const how = gap.partition.gone === 'detached' ? 'detached' : 'dropped'
  return new PartitionError(
    `The events at positions ${gap.from} to ${last} were ${how} with ${named(run.map(({ partition }) => partition.name))}. ` +
      `To read what is retained behind them, begin there: { after: ${last} } (partitions.list() tells the ranges); ` +
      'to read them, restore their archive.',
  )
}

function named(names: readonly string[]): string {
  return names.length <= 2 ? names.join(' and ') : `${names[0]} to ${names.at(-1)}`
}
