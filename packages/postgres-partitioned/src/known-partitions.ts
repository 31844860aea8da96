import type { SqlRow } from '@varve/sql'

/** A closed month, or one that was taken out of the log. */
export interface KnownPartition {
  readonly name: string
  /** Bounds as literals of Postgres, inclusive and exclusive. */
  readonly startsAt: string
  readonly endsAt: string
  /** Of positions; none when it was empty. */
  readonly first: number
  readonly last: number
  readonly gone: 'detached' | 'dropped' | undefined
}

/** Positions that are gone: of a partition taken out, without those at its ends that others share. */
export interface Gap {
  readonly from: number
  readonly to: number
  readonly partition: KnownPartition
}

/** The partitions as they were at one moment. */
export interface KnownPartitions {
  /** Changes with whatever befalls the partitions. */
  readonly generation: string
  /** By time. */
  readonly all: readonly KnownPartition[]
  /** Those that are there and hold something, by position. */
  readonly present: readonly KnownPartition[]
  /** By position. */
  readonly gaps: readonly Gap[]
  /** Up to this position nothing lies outside of these partitions, nor ever will. */
  readonly boundary: number
}

/**
 * @param openFirst the first position outside of all these partitions, Infinity when there is none
 * @param settled a position that was settled before that was asked
 */
export function knownPartitions(
  generation: string,
  all: readonly KnownPartition[],
  openFirst: number,
  settled: number,
): KnownPartitions {
  const held = all
    .filter((partition) => partition.first <= partition.last)
    .toSorted((a, b) => a.first - b.first)
  const present = held.filter((partition) => partition.gone === undefined)
  const gaps = held.flatMap((partition): Gap[] => {
    if (partition.gone === undefined) return []
    let { first: from, last: to } = partition
    // at the turn of a month positions of both interleave: those of what is still there stay within reach
    for (const other of present) {
      if (other.first < partition.first) from = Math.max(from, other.last + 1)
      else to = Math.min(to, other.first - 1)
    }
    if (openFirst > partition.first) to = Math.min(to, openFirst - 1)
    return from <= to ? [{ from, to, partition }] : []
  })
  return { generation, all, present, gaps, boundary: Math.min(settled, openFirst - 1) }
}

/** Of a row: name, starts_at, ends_at, first and last position, attached, dropped. */
export function knownPartition(row: SqlRow): KnownPartition {
  const [name, startsAt, endsAt, first, last, attached, dropped] = row as (string | null)[]
  return {
    name: name ?? '',
    startsAt: `${startsAt}+00`,
    endsAt: `${endsAt}+00`,
    first: first === null ? Infinity : Number(first),
    last: last === null ? -Infinity : Number(last),
    gone: attached === 't' ? undefined : dropped === 't' ? 'dropped' : 'detached',
  }
}

/** The partitions for which this is true, neighbours in time as one: pairs of bounds. */
export function rangesOf(
  { all }: KnownPartitions,
  chosen: (partition: KnownPartition) => boolean,
): [string, string][] {
  const ranges: [string, string][] = []
  for (const partition of all) {
    if (!chosen(partition)) continue
    const last = ranges.at(-1)
    if (last?.[1] === partition.startsAt) last[1] = partition.endsAt
    else ranges.push([partition.startsAt, partition.endsAt])
  }
  return ranges
}

/** A condition for the ranges and nothing else. */
export function inside(ranges: readonly [string, string][], bind: (time: string) => string): string {
  const arms = ranges.map(
    ([starts, ends]) => `(created_at >= ${bind(starts)} and created_at < ${bind(ends)})`,
  )
  return arms.length === 0 ? 'false' : `(${arms.join(' or ')})`
}

/** A condition for all but the ranges: open months, and what the DEFAULT partition caught. */
export function outside(ranges: readonly [string, string][], bind: (time: string) => string): string {
  const arms: string[] = []
  let from: string | undefined
  for (const [starts, ends] of ranges) {
    const until = `created_at < ${bind(starts)}`
    arms.push(from === undefined ? until : `(${from} and ${until})`)
    from = `created_at >= ${bind(ends)}`
  }
  if (from === undefined) return 'true'
  arms.push(from)
  return `(${arms.join(' or ')})`
}
