import { canonicalize } from '@varve/core'
import type { JsonValue } from '@varve/core'
import type { FilterStatements } from '@varve/sql'
import type { Names } from './names.js'

/** Longer lists are handed over as one parameter: then there is one statement for them all, but no index in order. */
const LISTED = 16

export function filterStatements(names: Names): FilterStatements {
  const tagged = `select position from ${names.quoted('event_tags')} where tag = `
  return {
    anyOf(column, values, bind) {
      const [first] = values
      if (values.length === 1 && first !== undefined) return `${column} = ${bind(first)}`
      if (values.length > LISTED)
        return `${column} in (select value from json_each(${bind(JSON.stringify(values))}))`
      return `${column} in (${values.map(bind).join(', ')})`
    },
    // a position is unique over all tenants: an event of another one is left out by the rest of the condition
    tags: (tags, bind) => tags.map((tag) => `position in (${tagged}${bind(tag)})`).join(' and '),
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
