import type { EventStore, RecordedEvent } from '@varve/core'
import { DOCUMENTS_ACCOUNT } from './documents.ts'
import { shortened, table, type Write } from './report.ts'

/** The six query patterns of the documents. Gives the ids of what each found, for comparison. */
export async function showQueries(
  store: EventStore,
  write: Write,
): Promise<Readonly<Record<string, readonly (string | number)[]>>> {
  const title = (number: number, text: string) => write(`  ${number}. ${text}`)

  title(1, 'the stream of an account: readStream(id)')
  const stream = await store.readStream(DOCUMENTS_ACCOUNT).toArray()
  show(write, stream)

  title(2, 'from a version: readStream(id, { fromVersion: 2 })')
  const fromVersion = await store.readStream(DOCUMENTS_ACCOUNT, { fromVersion: 2 }).toArray()
  show(write, fromVersion)

  const second = stream[1]?.position ?? 0
  title(3, `all accounts, from a position: readAll({ after: ${second}, limit: 3 })`)
  const fromPosition = await store.readAll({ after: second, limit: 3 }).toArray()
  show(write, fromPosition)

  const version = (await store.getStream(DOCUMENTS_ACCOUNT))?.version ?? 0
  const absent = (await store.getStream('acc-unknown'))?.version ?? 0
  title(4, `the version of a stream: getStream(id) gives ${version}; of one that does not exist, ${absent}`)

  title(5, "by types: readAll({ types: ['account.frozen', 'account.closed'] })")
  const byTypes = await store.readAll({ types: ['account.frozen', 'account.closed'] }).toArray()
  show(write, byTypes)

  const created = stream[0]
  if (created === undefined) throw new Error('the first account is missing')
  const recordedFrom = created.recordedAt
  const recordedTo = new Date(recordedFrom.getTime() + 24 * 60 * 60_000)
  const byTime = await store.readAll({ recordedFrom, recordedTo }).count()
  title(6, `by time: readAll({ recordedFrom, recordedTo }), a day from the first event on: ${byTime} events`)

  return {
    stream: ids(stream),
    fromVersion: ids(fromVersion),
    fromPosition: ids(fromPosition),
    versions: [version, absent],
    byTypes: ids(byTypes),
    byTime: [byTime],
  }
}

function ids(events: readonly RecordedEvent[]): string[] {
  return events.map((event) => event.id)
}

function show(write: Write, events: readonly RecordedEvent[]): void {
  const rows = events.map(({ position, streamId, version, type, data, occurredAt }) => {
    const { initialBalance, amount, reason } = data as Record<string, string>
    return {
      position,
      account: shortened(streamId),
      version,
      type,
      what: initialBalance ?? amount ?? reason ?? '',
      occurred: occurredAt.toISOString().slice(0, 16),
    }
  })
  table((line) => write(`   ${line}`), rows)
}
