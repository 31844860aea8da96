import { StreamNotFoundError } from '@varve/core'
import type { ResolvedListStreams, StreamInfo } from '@varve/core'
import type { ReadDialect } from './dialect.js'
import type { Query } from './read-access.js'
import { streamDecoder } from './rows.js'
import { binder, prefixCondition } from './where.js'

/** Makes the function that reads a stream's head. */
export function headReader(
  dialect: ReadDialect,
): (query: Query, tenantId: string, streamId: string) => Promise<StreamInfo | undefined> {
  const decode = streamDecoder(dialect.decode)
  const text =
    `select ${dialect.streamColumns} from ${dialect.table('event_streams')} ` +
    'where tenant_id = $1 and stream_id = $2 and version > 0'
  return async (query, tenantId, streamId) => (await query(text, [tenantId, streamId], decode))[0]
}

const PAGE = 500

/** Streams by stream id (and tenant, where all are listed), in byte order. */
export async function* listStreams(
  dialect: ReadDialect,
  query: Query,
  tenantId: string | undefined,
  filter: ResolvedListStreams,
): AsyncGenerator<StreamInfo, undefined> {
  if (filter.streamTypes?.length === 0) return
  const decode = streamDecoder(dialect.decode)
  let last: StreamInfo | undefined
  for (let left = filter.limit; left > 0;) {
    const { params, bind } = binder()
    const where = ['version > 0']
    if (tenantId !== undefined) where.push(`tenant_id = ${bind(tenantId)}`)
    if (!filter.includeArchived) where.push('archived_at is null')
    if (filter.streamTypes !== undefined)
      where.push(dialect.filter.anyOf('stream_type', filter.streamTypes, bind))
    if (filter.prefix !== '') where.push(prefixCondition('stream_id', filter.prefix, bind))
    if (last !== undefined && tenantId === undefined) {
      where.push(`(stream_id, tenant_id) > (${bind(last.streamId)}, ${bind(last.tenantId)})`)
    } else if (last !== undefined) where.push(`stream_id > ${bind(last.streamId)}`)
    else if (filter.after !== '') where.push(`stream_id > ${bind(filter.after)}`)
    const size = Math.min(PAGE, left)
    const order = tenantId === undefined ? 'stream_id, tenant_id' : 'stream_id'
    const text =
      `select ${dialect.streamColumns} from ${dialect.table('event_streams')} ` +
      `where ${where.join(' and ')} order by ${order} limit ${bind(size)}`
    const page = await query(text, params, decode)
    yield* page
    last = page.at(-1)
    left -= page.length
    if (last === undefined || page.length < size) return
  }
}

/** Closes a stream to appends, or opens it again. */
export async function setArchived(
  dialect: ReadDialect,
  query: Query,
  tenantId: string,
  streamId: string,
  archived: boolean,
): Promise<void> {
  const streams = dialect.table('event_streams')
  const key = 'tenant_id = $1 and stream_id = $2 and version > 0'
  const set = archived
    ? `update ${streams} set archived_at = ${dialect.now} where ${key} and archived_at is null`
    : `update ${streams} set archived_at = null where ${key} and archived_at is not null`
  const readHead = headReader(dialect)
  for (;;) {
    await query(set, [tenantId, streamId])
    const head = await readHead(query, tenantId, streamId)
    if (head === undefined) throw new StreamNotFoundError(streamId)
    // otherwise it was made, or changed back, between the two
    if ((head.archivedAt !== undefined) === archived) return
  }
}
