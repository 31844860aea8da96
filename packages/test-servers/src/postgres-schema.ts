import pg from 'pg'

/**
 * Writes down everything in a schema of a Postgres database: what `pg_dump` would say, from the catalogues, since not every
 * machine has a `pg_dump` of the server's version. The same schema gives the same text; its own name is left out, and should
 * therefore be one that stands for nothing else in it.
 */
export async function dumpPostgresSchema(url: string, schema: string): Promise<string> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    // what is in the search path is written without its schema
    await client.query("select set_config('search_path', quote_ident($1), false)", [schema])
    const parts: string[] = []
    for (const text of [tables, sequences, indexes, functions, triggers, views]) {
      const { rows } = await client.query<{ line: string }>(text, [schema])
      parts.push(...rows.map(({ line }) => line.trim()))
    }
    const prefix = new RegExp(`\\b${schema}\\.(?=[\\w"])`, 'g')
    return parts.map((part) => `${part.replaceAll(prefix, '').replace(/;$/, '')};\n`).join('\n')
  } finally {
    await client.end()
  }
}

const tables = `
  select format(E'create %stable %s (\\n%s\\n)%s%s%s',
    case c.relpersistence when 'u' then 'unlogged ' else '' end,
    c.oid::regclass,
    array_to_string(columns.lines || coalesce(constraints.lines, '{}'), E',\\n'),
    ' partition of ' || i.inhparent::regclass || ' ' || pg_get_expr(c.relpartbound, c.oid),
    ' partition by ' || pg_get_partkeydef(c.oid),
    ' with (' || array_to_string(c.reloptions, ', ') || ')') as line
  from pg_class c
  left join pg_inherits i on i.inhrelid = c.oid and c.relispartition
  cross join lateral (
    select array_agg(format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation else '' end,
      case
        when a.attidentity <> '' then ' generated ' || case a.attidentity when 'a' then 'always' else 'by default' end || ' as identity'
        when a.attgenerated <> '' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ')'
        else coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      end,
      case when a.attnotnull then ' not null' else '' end) order by a.attnum) as lines
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  ) columns
  cross join lateral (
    -- from Postgres 18 on NOT NULL is a constraint too: it stands with its column
    select array_agg(format('  constraint %I %s', o.conname, pg_get_constraintdef(o.oid, true))
      order by o.contype = 'p' desc, o.conname collate "C") as lines
    from pg_constraint o where o.conrelid = c.oid and o.contype in ('p', 'u', 'c', 'f', 'x')
  ) constraints
  where c.relnamespace = quote_ident($1)::regnamespace and c.relkind in ('r', 'p')
  order by c.relname collate "C"`

const sequences = `
  select format('create sequence %s as %s start %s increment %s minvalue %s maxvalue %s cache %s%s owned by %s',
    s.seqrelid::regclass, s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache,
    case when s.seqcycle then ' cycle' else '' end,
    coalesce(d.refobjid::regclass || '.' || a.attname, 'none')) as line
  from pg_sequence s
  join pg_class c on c.oid = s.seqrelid
  left join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = s.seqrelid
    and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
  left join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
  where c.relnamespace = quote_ident($1)::regnamespace
  order by c.relname collate "C"`

const indexes = `
  select pg_get_indexdef(i.indexrelid, 0, true) || case when i.indisvalid then '' else ' -- invalid' end as line
  from pg_index i
  join pg_class c on c.oid = i.indexrelid
  where c.relnamespace = quote_ident($1)::regnamespace
    and not exists (select 1 from pg_constraint o where o.conindid = i.indexrelid and o.contype in ('p', 'u', 'x'))
  order by i.indrelid::regclass::text collate "C", c.relname collate "C"`

const functions = `
  select pg_get_functiondef(p.oid) as line
  from pg_proc p
  where p.pronamespace = quote_ident($1)::regnamespace and p.prokind in ('f', 'p')
  order by p.proname collate "C", pg_get_function_identity_arguments(p.oid) collate "C"`

const triggers = `
  select pg_get_triggerdef(t.oid, true) || case t.tgenabled when 'O' then '' else ' -- enabled: ' || t.tgenabled::text end as line
  from pg_trigger t
  join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = quote_ident($1)::regnamespace and not t.tgisinternal
  order by c.relname collate "C", t.tgname collate "C"`

const views = `
  select format(E'create %sview %s as\\n%s', case c.relkind when 'm' then 'materialized ' else '' end,
    c.oid::regclass, pg_get_viewdef(c.oid, true)) as line
  from pg_class c
  where c.relnamespace = quote_ident($1)::regnamespace and c.relkind in ('v', 'm')
  order by c.relname collate "C"`
