import type { FilterStatements } from '@varve/sql'
import { textArray, uuidArray } from './binary.js'

export const filter: FilterStatements = {
  anyOf: (column, values, bind) =>
    column === 'event_id'
      ? `event_id = any(${bind(uuidArray(values))}::uuid[])`
      : `${column} = any(${bind(textArray(values))}::text[])`,
  tags: (tags, bind) => `tags @> ${bind(textArray(tags))}::text[]`,
  metadata: (metadata, bind) => `metadata @> ${bind(JSON.stringify(metadata))}::jsonb`,
  time: (value) => value.toISOString(),
}
