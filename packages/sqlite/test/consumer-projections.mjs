// The read models of the processes that are killed, for any engine that knows ON CONFLICT. An event applied twice breaks the
// key of chaos_seen, one applied out of order or not at all shows in chaos_model.
import { defineProjection } from '@varve/core'

export function projectionsFor(query) {
  const model = (name, shards) =>
    defineProjection({
      name,
      shards,
      handles: {
        counted: async (event, { client }) => {
          await query(
            client,
            `insert into chaos_seen (projection, position) values ('${name}', ${event.position})`,
          )
          await query(
            client,
            `insert into chaos_model (projection, stream_id, events, last_version) values ('${name}', '${event.streamId}', 1, ${event.version}) ` +
              'on conflict (projection, stream_id) do update set events = chaos_model.events + 1, ' +
              'last_version = case when excluded.last_version = chaos_model.last_version + 1 then excluded.last_version else -1000000 end',
          )
        },
      },
    })
  return [model('whole', 1), model('split', 3)]
}

export const chaosTables = [
  'create table chaos_seen (projection varchar(20) not null, position bigint not null, primary key (projection, position))',
  'create table chaos_model (projection varchar(20) not null, stream_id varchar(50) not null, events int not null, last_version int not null, primary key (projection, stream_id))',
]
