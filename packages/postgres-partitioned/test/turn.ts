import { monthsAgo, partitionOf } from './history.js'
import type { Opened } from './store.js'

export interface Turn {
  /** When it is. */
  readonly at: Date
  readonly before: string
  readonly after: string
}

/**
 * The turn of a month, soon: the clock of a server cannot be moved, but the bounds of partitions are what they are made to be.
 * This month becomes two partitions, whose common bound lies so many milliseconds ahead. Everything else is as in production.
 */
export async function turnIn({ sql }: Opened, ms: number): Promise<Turn> {
  const [before, after] = ['events_before', 'events_after']
  const leaf = partitionOf(monthsAgo(0))
  const [row] = await sql(`select clock_timestamp() + $1 * interval '1 ms' as at`, [ms])
  const at = row?.['at'] as Date
  await sql(`drop table ${leaf}`)
  await sql(`delete from event_partitions where name = '${leaf}'`)
  for (const [name, from, to] of [
    [before, `${monthsAgo(0)}-01`, at.toISOString()],
    [after, at.toISOString(), `${monthsAgo(-1)}-01`],
  ]) {
    await sql('select change_partitions()')
    await sql(`set time zone 'UTC'; select make_partition('${name}', '${from}', '${to}');
      select attach_partition('${name}', '${from}', '${to}');
      insert into event_partitions (name, starts_at, ends_at) values ('${name}', '${from}', '${to}'); reset time zone`)
  }
  return { at, before, after }
}
