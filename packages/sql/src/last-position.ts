import type { ReadDialect } from './dialect.js'
import { onePart } from './log-parts.js'
import type { LogStretch } from './log-parts.js'
import type { ReadAccess } from './read-access.js'
import { binder } from './where.js'

/** The position of the last event, of one tenant or (`undefined`) of all; 0 when there is none. */
export async function lastPosition(
  dialect: ReadDialect,
  access: ReadAccess,
  tenantId: string | undefined,
): Promise<number> {
  const { parts = onePart } = dialect
  for (let until = Number.MAX_SAFE_INTEGER; until > 0;) {
    const end = until
    const stretch = await access.run(() => parts.stretch({ after: 0, until: end, direction: 'backwards' }))
    if (stretch.gone === undefined) {
      const position = await lastOf(dialect, access.query, tenantId, stretch)
      if (position !== undefined) return position
      if (await access.run(() => parts.changed(stretch))) continue
    }
    until = stretch.after
  }
  return 0
}

async function lastOf(
  dialect: ReadDialect,
  query: ReadAccess['query'],
  tenantId: string | undefined,
  stretch: LogStretch,
): Promise<number | undefined> {
  const { params, bind } = binder()
  const where = [`position > ${bind(stretch.after)}`, stretch.where(bind)]
  // without this bound, a position that has left the safe integers is seen, and refused
  if (stretch.until < Number.MAX_SAFE_INTEGER) where.push(`position <= ${bind(stretch.until)}`)
  if (tenantId !== undefined) where.push(`tenant_id = ${bind(tenantId)}`)
  const text =
    `select position from ${dialect.table('events')} where ${where.filter(Boolean).join(' and ')} ` +
    'order by position desc limit 1'
  const [row] = await query(text, params)
  return row === undefined ? undefined : dialect.decode.number(row[0])
}
