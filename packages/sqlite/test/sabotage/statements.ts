import type { Fault } from './wrap.js'

/** A store whose statements are wrong: `part` of each that has it is another one. Parameters stay as many as they were. */
const fault = (name: string, caughtBy: string, part: string | RegExp, instead: string): Fault => ({
  name,
  caughtBy,
  rewrites: (text) => text.replace(part, instead),
})

export const statementFaults: readonly Fault[] = [
  fault(
    'commits for a leader of an older epoch',
    'checkpoints',
    /(update "projection_checkpoints" set last_position .*) and epoch = \?/,
    '$1 and ? is not null',
  ),
  fault(
    'commits beside a pause',
    'checkpoints',
    /(update "projection_checkpoints" set last_position .*) and status = \?/,
    '$1 and ? is not null',
  ),
  fault(
    'moves a checkpoint from wherever it is',
    'checkpoints',
    /(update "projection_checkpoints" set last_position .*) and last_position = \?/,
    '$1 and ? is not null',
  ),
  fault(
    'remembers no event in its checkpoints',
    'projections',
    ', last_event_id = ?',
    ', last_event_id = case when ? is null then 0 end',
  ),
  fault(
    'does not take over leases that ran out',
    'checkpoints',
    /(update "projection_leases" set owner = \?, epoch .*) and expires_at <=/,
    '$1 and 0 >=',
  ),
  fault('takes leases that have not run out', 'projections', /expires_at <= /g, '0 <= '),
  fault(
    'keeps its leases when it stops',
    'projections',
    /set owner = '', connection = null, .* where/,
    'set connection = null where',
  ),
  fault(
    'never asks others for their shards',
    'projections',
    'set wanted_by = ?',
    'set wanted_by = case when ? is null then 0 end',
  ),
  fault(
    'never says why it stands still',
    'projections',
    'error_message = ?',
    'error_message = substr(?, 1, 0)',
  ),
  fault(
    'parks what failed, and forgets what is behind it',
    'parked',
    'select distinct event_tenant_id, stream_id from "parked_events" where',
    'select distinct event_tenant_id, stream_id from "parked_events" where false and',
  ),
  fault(
    'keeps no parked event',
    'parked',
    /(insert into "parked_events" .*) values \((.*)\)$/,
    '$1 select $2 where false',
  ),
  fault('retries nothing that is parked', 'parked', 'set retry_requested = 1', 'set retry_requested = 0'),
]
