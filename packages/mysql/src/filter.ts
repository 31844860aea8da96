import { canonicalize } from '@varve/core'
import type { JsonValue } from '@varve/core'
import type { Bind, FilterStatements } from '@varve/sql'
import type { Names } from './names.js'
import { padded } from './sizes.js'

export function filterStatements(names: Names): FilterStatements {
  const [events, eventTags] = [names.quoted('events'), names.quoted('event_tags')]
  return {
    anyOf(column, values, bind) {
      const [first] = values
      if (values.length === 1 && first !== undefined) return `${column} = ${bind(first)}`
      return `${column} in (${padded(values).map(bind).join(', ')})`
    },
    tags: (tags, bind) =>
      [...new Set(tags)]
        .map(
          (tag) =>
            `exists (select 1 from ${eventTags} t where t.tenant_id = ${events}.tenant_id and t.tag = ${bind(tag)} ` +
            `and t.position = ${events}.position)`,
        )
        .join(' and '),
    metadata: (metadata, bind) =>
      leaves(metadata, '$')
        .map((leaf) => leafCondition(leaf, bind))
        .join(' and '),
    time: (value) => value.toISOString().slice(0, 23).replace('T', ' '),
  }
}

interface Leaf {
  readonly path: string
  readonly value: JsonValue
}

function leaves(value: JsonValue, path: string): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${pathLeg(key)}`))
}

/** A key in a path. MariaDB takes a minus at its beginning for something else. */
function pathLeg(key: string): string {
  return JSON.stringify(key).replace(/^"-/, String.raw`"\u002d`)
}

/** A list contains what one of its elements is equal to, and the empty list besides, which nothing else does. */
function leafCondition({ path, value }: Leaf, bind: Bind): string {
  const json = canonicalize(value, 'metadata')
  const contained = `json_contains(metadata, ${bind(json)}, ${bind(path)}) and not json_contains(metadata, '[]', ${bind(path)})`
  if (typeof value !== 'number' || Math.abs(value) >= VERY_SMALL) return contained
  // MariaDB takes the very smallest numbers for zero
  const text = `coalesce(cast(json_extract(metadata, ${bind(path)}) as char), ${bind(json)})`
  return `${contained} and (version() not like '%MariaDB%' or ${text} = ${bind(json)})`
}

const VERY_SMALL = 1e-300
