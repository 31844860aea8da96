import type { ConsumeDialect, HintChannel } from '@varve/sql'
import type pg from 'pg'

export function consumeDialect(hints: HintChannel | undefined): ConsumeDialect<pg.PoolClient> {
  return {
    later: (ms) => `clock_timestamp() + ${ms}::double precision * interval '1 millisecond'`,
    forUpdate: ' for update',
    // not waiting for the disk loses nothing: after a crash of the server the checkpoint is as old as the model, and every
    // commit that does wait takes along what was committed before it
    pieceSettings: (leaseMs) =>
      `set local idle_in_transaction_session_timeout = ${Math.max(1, Math.floor(leaseMs))}; set local synchronous_commit = off`,
    // replacing keeps who may read the view, but can only add columns
    showIn: (view, table) => `
do $varve$
begin
  create or replace view ${view} as select * from ${table};
exception when invalid_table_definition then
  drop view ${view};
  create view ${view} as select * from ${table};
end
$varve$`,
    ...(hints !== undefined && { hints }),
  }
}
