import type { Syntax } from './syntax.js'

const types = { text: 'text', longtext: 'text', uuid: 'uuid', integer: 'bigint' }

export const postgres: Syntax = {
  // stable, so that it may bound the scan of an index, unlike clock_timestamp()
  now: 'statement_timestamp()',
  after: (expression, milliseconds) => `(${expression} + (${milliseconds}) * interval '1 millisecond')`,
  between: (from, to) => `floor(extract(epoch from (${to} - ${from})) * 1000)::bigint`,
  rows(parameter, columns) {
    const list = Object.entries(columns).map(([name, type]) => `${name} ${types[type]}`)
    return `json_to_recordset(${parameter}::json) as r (${list.join(', ')})`
  },
  lock: ' for update',
  lockFree: ' for update skip locked',
  lockShared: ' for share',
  bool: (value) => (value ? 'true' : 'false'),
  insertNew: (table, columns, select) =>
    `insert into ${table} (${columns.join(', ')}) ${select} on conflict do nothing`,
  update(session, { table, rows, on, set, returning, params }) {
    const list = Object.entries(set).map(([column, value]) => `${column} = ${value}`)
    const back =
      returning === undefined ? '' : ` returning ${returning.map((column) => `t.${column}`).join(', ')}`
    return session.query(
      `update ${table} as t set ${list.join(', ')} from ${rows} where ${on}${back}`,
      params,
    )
  },
  remove: (table, rows, condition) =>
    `delete from ${table} as t using ${rows} where t.id = r.id and ${condition}`,
  take(session, { jobs, columns, wanted, workerId, leaseMs }) {
    // the array is made first, and is small: the planner goes by the key then, however large the table is
    const text =
      `update ${jobs} as t set status = 'processing', fence = t.fence + 1, locked_by = $2, updated_at = statement_timestamp(), ` +
      `locked_until = statement_timestamp() + $3 * interval '1 millisecond' where t.id = any (array(` +
      `select j.id from json_to_recordset($1::json) as r (endpoint_id text, count bigint), ` +
      `lateral (select id from ${jobs} where endpoint_id = r.endpoint_id and status = 'pending' ` +
      `and next_attempt <= statement_timestamp() order by next_attempt, position limit r.count for update skip locked) j)) ` +
      `returning ${columns.map((column) => `t.${column}`).join(', ')}`
    const rows = wanted.map(({ endpointId, count }) => ({ endpoint_id: endpointId, count }))
    return session.query(text, [JSON.stringify(rows), workerId, leaseMs])
  },
}
