import type { SqlRow } from '@varve/sql'
import type { Syntax } from './syntax.js'

const now = "cast(round(unixepoch('subsec') * 1000) as integer)"

// one transaction at a time writes, so that there is nothing to lock
export const sqlite: Syntax = {
  now,
  after: (expression, milliseconds) => `(${expression} + (${milliseconds}))`,
  between: (from, to) => `(${to} - ${from})`,
  rows(parameter, columns) {
    const list = Object.keys(columns).map((name) => `value ->> '${name}' as ${name}`)
    return `(select ${list.join(', ')} from json_each(${parameter})) as r`
  },
  lock: '',
  lockFree: '',
  lockShared: '',
  bool: (value) => (value ? 1 : 0),
  // "where true": without it "on conflict" would be read as a join's condition
  insertNew: (table, columns, select) =>
    `insert into ${table} (${columns.join(', ')}) ${select} where true on conflict do nothing`,
  update(session, { table, rows, on, set, returning, params }) {
    const list = Object.entries(set).map(([column, value]) => `${column} = ${value}`)
    // no alias in returning: SQLite knows the columns of the table by their bare names there
    const back = returning === undefined ? '' : ` returning ${returning.join(', ')}`
    return session.query(
      `update ${table} as t set ${list.join(', ')} from ${rows} where ${on}${back}`,
      params,
    )
  },
  remove: (table, rows, condition) =>
    `delete from ${table} where id in (select id from ${rows}) and ${condition}`,
  async take(session, { jobs, columns, wanted, workerId, leaseMs }) {
    const text =
      `update ${jobs} set status = 'processing', fence = fence + 1, locked_by = $3, updated_at = ${now}, locked_until = ${now} + $4 ` +
      `where id in (select id from ${jobs} where endpoint_id = $1 and status = 'pending' and next_attempt <= ${now} ` +
      `order by next_attempt, position limit $2) returning ${columns.join(', ')}`
    const taken: SqlRow[] = []
    for (const { endpointId, count } of wanted) {
      taken.push(...(await session.query(text, [endpointId, count, workerId, leaseMs])))
    }
    return taken
  },
}
