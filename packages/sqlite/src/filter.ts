import { canonicalize } from '@varve/core'
import type { JsonValue } from '@varve/core'
import type { FilterStatements } from '@varve/sql'
import type { Names } from './names.js'

/** Longer lists are handed over as one parameter: then there is one statement for them all, but no index in order. */
const LISTED = 16

export function filterStatements(names: Names): FilterStatements {
  const events = names.quoted('events')
  const tags = names.quoted('event_tags')
  return {
    anyOf(column, values, bind) {
      const [first] = values
      if (values.length === 1 && first !== undefined) return `${column} = ${bind(first)}`
      if (values.length > LISTED)
        return `${column} in (select value from json_each(${bind(JSON.stringify(values))}))`
      return `${column} in (${values.map(bind).join(', ')})`
    },
    // event by event: a list of all that bear a tag would be made anew for each page
    tags: (wanted, bind) =>
      wanted
        .map(
          (tag) =>
            `exists (select 1 from ${tags} t where t.tenant_id = ${events}.tenant_id and t.tag = ${bind(tag)} ` +
            `and t.position = ${events}.position)`,
        )
        .join(' and '),
    // cross: the tags lead, in the order of their index, so that a page ends the search
    tagged: (tag, tenantId, bind) => ({
      from:
        `(select position as tagged from ${tags} where tenant_id = ${bind(tenantId)} and tag = ${bind(tag)}) ` +
        `cross join ${events} on position = tagged`,
      position: 'tagged',
    }),
    metadata: (metadata, bind) =>
      leaves(metadata, '$')
        .map(({ path, value }) => `metadata -> ${bind(path)} = ${bind(canonicalize(value, 'metadata'))}`)
        .join(' and '),
    time: (value) => value.getTime(),
  }
}

interface Leaf {
  readonly path: string
  readonly value: JsonValue
}

/** The leaves of a filter. Stored JSON is canonical: equal values have equal texts, and unequal types never do. */
function leaves(value: JsonValue, path: string): Leaf[] {
  if (typeof value !== 'object' || value === null) return [{ path, value }]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}.${pathLabel(key)}`))
}

/** A key in a JSON path of SQLite's, which knows the escapes of JSON but for the quote itself. */
function pathLabel(key: string): string {
  return `"${JSON.stringify(key)
    .slice(1, -1)
    .replaceAll(String.raw`\"`, String.raw`\u0022`)}"`
}
