import { defineProjection } from '@varve/core'
import type { EventStore, Projection } from '@varve/core'

/** For the models of `countingProjections`; to be made before. */
export const countingTables: readonly string[] = [
  'create table chaos_seen (projection varchar(20) not null, position bigint not null, primary key (projection, position))',
  'create table chaos_model (projection varchar(20) not null, stream_id varchar(50) not null, events int not null, last_version int not null, primary key (projection, stream_id))',
]

const onConflict =
  'on conflict (projection, stream_id) do update set events = chaos_model.events + 1, ' +
  'last_version = case when excluded.last_version = chaos_model.last_version + 1 then excluded.last_version else -1000000 end'
const onDuplicateKey =
  'on duplicate key update events = events + 1, ' +
  'last_version = case when values(last_version) = last_version + 1 then values(last_version) else -1000000 end'

/** A client of any of the drivers, in the transaction of a projection. */
type AnyClient = { exec(text: string): unknown } | { query(text: string): unknown }

async function run(client: AnyClient, text: string): Promise<void> {
  await ('exec' in client ? client.exec(text) : client.query(text))
}

/**
 * Two read models of the events `counted`, one whole and one in three shards. An event applied twice breaks the key of
 * chaos_seen, one applied out of order or not at all shows in chaos_model.
 */
export function countingProjections<Client>({ mysql }: { mysql: boolean }): Projection<Client>[] {
  const upsert = mysql ? onDuplicateKey : onConflict
  return ['whole', 'split'].map((name) =>
    defineProjection<Client>({
      name,
      shards: name === 'whole' ? 1 : 3,
      handles: {
        counted: async ({ position, streamId, version }, tx) => {
          const client = tx.client as AnyClient
          await run(client, `insert into chaos_seen (projection, position) values ('${name}', ${position})`)
          await run(
            client,
            `insert into chaos_model (projection, stream_id, events, last_version) values ('${name}', '${streamId}', 1, ${version}) ${upsert}`,
          )
        },
      },
    }),
  )
}

/** Runs them in this process until it is killed, told to end by SIGTERM, or its parent is gone. */
export function consumeUntilEnded<Client>(
  store: EventStore<Client>,
  { mysql, leaseMs }: { mysql: boolean; leaseMs: number },
): void {
  store.projections.run(countingProjections<Client>({ mysql }), {
    leaseMs,
    checkpointEvery: 20,
    onLease: (report) => process.connected && process.send?.({ lease: report }),
    onError: ({ error, action }) => {
      if (action !== 'restart') console.error(action, error)
    },
  })
  process.once('SIGTERM', () => void store.close().then(() => process.exit(0)))
  process.once('disconnect', () => process.exit(1))
  process.send?.({ ready: process.pid })
}
