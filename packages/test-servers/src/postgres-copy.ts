import pg from 'pg'

/** Fills the tables of a schema with the rows that they have on another server, as a logical restore does. */
export async function copyPostgresTables(from: string, to: string, schema: string): Promise<void> {
  const [source, target] = [from, to].map((connectionString) => new pg.Client({ connectionString })) as [
    pg.Client,
    pg.Client,
  ]
  await Promise.all([source.connect(), target.connect()])
  try {
    const { rows: tables } = await source.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition`,
      [schema],
    )
    await target.query('begin')
    await target.query('set local session_replication_role = replica')
    for (const { name } of tables) {
      const table = `"${schema}"."${name}"`
      const { rows } = await source.query<{ all: string }>(
        `select coalesce(json_agg(t), '[]')::text as all from ${table} t`,
      )
      await target.query(`delete from ${table}`)
      await target.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [
        rows[0]?.all,
      ])
    }
    const { rows: sequences } = await source.query<{ name: string; last: string | null }>(
      'select sequencename as name, last_value::text as last from pg_sequences where schemaname = $1',
      [schema],
    )
    for (const { name, last } of sequences)
      if (last !== null) await target.query('select setval($1, $2)', [`"${schema}"."${name}"`, last])
    await target.query('commit')
  } finally {
    await Promise.all([source.end(), target.end()])
  }
}
