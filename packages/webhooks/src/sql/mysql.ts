import type { SqlRow } from '@varve/sql'
import type { Syntax } from './syntax.js'

const types = { text: 'varchar(1000)', longtext: 'longtext', uuid: 'char(36)', integer: 'bigint' }
const now = 'utc_timestamp(6)'

/** MySQL and MariaDB. */
export const mysql: Syntax = {
  now,
  after: (expression, milliseconds) => `(${expression} + interval ((${milliseconds}) * 1000) microsecond)`,
  between: (from, to) => `floor(timestampdiff(microsecond, ${from}, ${to}) / 1000)`,
  rows(parameter, columns) {
    const list = Object.entries(columns).map(([name, type]) => `${name} ${types[type]} path '$.${name}'`)
    // as a table of its own it could not stand in a select that locks (error 3569)
    return `(select * from json_table(${parameter}, '$[*]' columns (${list.join(', ')})) as given) as r`
  },
  lock: ' for update',
  lockFree: ' for update skip locked',
  lockShared: ' lock in share mode',
  bool: (value) => (value ? 1 : 0),
  insertNew: (table, columns, select) =>
    `insert into ${table} (${columns.join(', ')}) ${select} on duplicate key update ${table}.id = ${table}.id`,
  async update(session, { table, rows, on, set, returning, params }) {
    const list = Object.entries(set).map(([column, value]) => `t.${column} = ${value}`)
    let found: SqlRow[] = []
    if (returning !== undefined) {
      const columns = returning.map((column) => `t.${column}`)
      found = await session.query(
        `select ${columns.join(', ')} from ${table} t join ${rows} on ${on} for update`,
        params,
      )
      if (found.length === 0) return found
    }
    await session.query(`update ${table} t join ${rows} on ${on} set ${list.join(', ')}`, params)
    return found
  },
  // MariaDB would look through the whole table for each id of a subquery
  remove: (table, rows, condition) =>
    `delete t from ${table} t join ${rows} on t.id = r.id where ${condition}`,
  async take(session, { jobs, columns, wanted, workerId, leaseMs }) {
    const list = columns.map((column) => (column === 'fence' ? 'fence + 1' : column))
    const taken: SqlRow[] = []
    for (const { endpointId, count } of wanted) {
      const text =
        `select ${list.join(', ')} from ${jobs} where endpoint_id = $1 and status = 'pending' and next_attempt <= ${now} ` +
        'order by next_attempt, position limit $2 for update skip locked'
      taken.push(...(await session.query(text, [endpointId, count])))
    }
    if (taken.length === 0) return taken
    const at = columns.indexOf('id')
    const rows = mysql.rows('$1', { id: 'uuid' })
    await session.query(
      `update ${jobs} t join ${rows} on t.id = r.id set t.status = 'processing', t.fence = t.fence + 1, t.locked_by = $2, ` +
        `t.updated_at = ${now}, t.locked_until = ${mysql.after(now, '$3')}`,
      [JSON.stringify(taken.map((row) => ({ id: row[at] }))), workerId, leaseMs],
    )
    return taken
  },
}
