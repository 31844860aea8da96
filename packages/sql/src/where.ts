import { splitTypes } from '@varve/core'
import type { EventFilter } from '@varve/core'
import type { Bind, FilterStatements } from './dialect.js'
import type { SqlValue } from './driver.js'

/** Gathers parameters and gives their placeholders. */
export function binder(): { params: SqlValue[]; bind: Bind } {
  const params: SqlValue[] = []
  return { params, bind: (value) => `$${params.push(value)}` }
}

/** Whether the filter can match nothing, whatever the log holds. */
export function matchesNothing(filter: EventFilter): boolean {
  return filter.types?.length === 0 || filter.streamTypes?.length === 0 || filter.streamIds?.length === 0
}

/** The conditions of a filter, to be joined by AND. */
export function conditions(filter: EventFilter, bind: Bind, statements: FilterStatements): string[] {
  const where: string[] = []
  const equal = (column: string, value: string | undefined) => {
    if (value !== undefined) where.push(`${column} = ${bind(value)}`)
  }
  if (filter.types !== undefined) where.push(typeCondition(filter.types, bind, statements))
  if (filter.streamTypes !== undefined) where.push(statements.anyOf('stream_type', filter.streamTypes, bind))
  if (filter.streamIds !== undefined) where.push(statements.anyOf('stream_id', filter.streamIds, bind))
  if (filter.tags !== undefined && filter.tags.length > 0) where.push(statements.tags(filter.tags, bind))
  equal('correlation_id', filter.correlationId)
  equal('causation_id', filter.causationId)
  equal('created_by', filter.createdBy)
  if (filter.recordedFrom !== undefined)
    where.push(`created_at >= ${bind(statements.time(filter.recordedFrom))}`)
  if (filter.recordedTo !== undefined) where.push(`created_at < ${bind(statements.time(filter.recordedTo))}`)
  if (filter.metadata !== undefined && Object.keys(filter.metadata).length > 0) {
    where.push(statements.metadata(filter.metadata, bind))
  }
  return where
}

function typeCondition(types: readonly string[], bind: Bind, statements: FilterStatements): string {
  const { exact, prefixes } = splitTypes(types)
  const any = prefixes.map((prefix) => prefixCondition('event_type', prefix, bind))
  if (exact.length > 0) any.push(statements.anyOf('event_type', exact, bind))
  return any.length === 1 ? any.join('') : `(${any.join(' or ')})`
}

/** `column` begins with `prefix`, byte by byte: a range, so that an index serves it. */
export function prefixCondition(column: string, prefix: string, bind: Bind): string {
  const end = prefixEnd(prefix)
  const from = `${column} >= ${bind(prefix)}`
  return end === undefined ? from : `(${from} and ${column} < ${bind(end)})`
}

/** The first string, in the order of code points (which is that of UTF-8 bytes), behind all that begin with `prefix`. */
export function prefixEnd(prefix: string): string | undefined {
  const points = [...prefix].map((char) => char.codePointAt(0) ?? 0)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last === 0x10ffff) continue
    const next = last === 0xd7ff ? 0xe000 : last + 1 // surrogates are no characters
    return String.fromCodePoint(...points, next)
  }
  return undefined
}
