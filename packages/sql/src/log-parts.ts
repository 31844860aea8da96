import type { Direction } from '@varve/core'
import type { Bind } from './dialect.js'
import type { Query } from './read-access.js'

/** A range of the log, `after` < position <= `until`, that can be read by itself. */
export interface LogStretch {
  readonly after: number
  readonly until: number
  /** A condition that keeps a statement over `events` to the parts that can hold something of the stretch. */
  where(bind: Bind): string
  /** Why there is nothing to be read here: it was taken out of the log. */
  readonly gone?: Error
}

/**
 * For engines that keep `events` in parts by the time of recording, each with a range of positions: keeps reads to the parts
 * that they need, and tells what was taken out of the log.
 */
export interface LogParts {
  /** Where a read of a range begins, in its direction: a stretch that has one end in common with the range. */
  stretch(range: { after: number; until: number; direction: Direction }): Promise<LogStretch>
  /** The range in one; `gone` when something of it was taken out. */
  whole(after: number, until: number): Promise<LogStretch>
  /** Whether the parts have changed since the stretch was made: then an empty page of it says nothing. */
  changed(stretch: LogStretch): Promise<boolean>
  /** Why events of a stream, recorded from `from` to `to` (inclusive), are missing; undefined when none were taken out then. */
  gone(query: Query, from: Date, to: Date, missing: string): Promise<Error | undefined>
  /** A condition: something recorded between two times, given as expressions, was taken out of the log. */
  gap(from: string, to: string): string
}

const whole = (after: number, until: number): LogStretch => ({ after, until, where: () => '' })

/** An engine that keeps the log in one. */
export const onePart: LogParts = {
  stretch: async ({ after, until }) => whole(after, until),
  whole: async (after, until) => whole(after, until),
  changed: async () => false,
  gone: async () => undefined,
  gap: () => 'false',
}
