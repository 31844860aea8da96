/**
 * Bugs that shipped event stores had, with the cases that a store with such a bug fails. What only a consumer can do
 * wrong (subscriptions, projections), or only an engine (replicas, partitions, row-level security), is not among them.
 */
export const fieldFaults: readonly { readonly fault: string; readonly cases: readonly string[] }[] = [
  {
    fault: 'a higher position commits first and the reader passes the lower one',
    cases: [
      'skips/a-higher-position-commits-first',
      'skips/transactions-commit-in-mixed-order',
      'skips/a-storm-of-writers',
    ],
  },
  {
    fault: 'a guard in several statements sees several snapshots',
    cases: ['skips/a-storm-of-writers', 'skips/a-read-covers-all-that-was-committed-when-it-began'],
  },
  {
    fault: 'with a sparse filter the page is taken to reach further than was scanned',
    cases: ['skips/a-filter-hides-most-of-the-log', 'filters/the-limit-counts-what-passed-them'],
  },
  { fault: 'a gap is aged by the times of the events', cases: ['skips/time-runs-against-position'] },
  {
    fault: 'the log is ordered by time',
    cases: ['skips/time-runs-against-position', 'reads-all/longer-than-a-page'],
  },
  {
    fault: 'the position is given before the transaction is known',
    cases: ['skips/an-append-is-the-first-statement-of-a-callers-transaction'],
  },
  { fault: 'one of two savepoints is rolled back', cases: ['skips/a-savepoint-is-rolled-back-in-between'] },
  {
    fault: 'a number that a lost race or a rollback burned is waited for',
    cases: [
      'stalls/rolled-back-numbers-are-not-waited-for',
      'stalls/lost-races-are-not-waited-for',
      'skips/a-lower-position-is-rolled-back',
    ],
  },
  {
    fault: 'an idle transaction, or the lock of the reader itself, stops the reader',
    cases: [
      'stalls/an-idle-transaction-that-read-the-log-delays-no-reader',
      'stalls/a-read-inside-ones-own-transaction-ends',
    ],
  },
  {
    fault: 'any long transaction stops the reader',
    cases: ['stalls/a-long-unrelated-transaction-delays-no-reader'],
  },
  { fault: 'each poll starts the wait anew', cases: ['stalls/polling-does-not-put-off-the-end-of-the-wait'] },
  {
    fault: 'nothing moves on where a filter finds nothing',
    cases: ['stalls/settled-position-goes-on-where-a-filter-finds-nothing'],
  },
  {
    fault: 'parallel any appends are lost, or conflict',
    cases: [
      'races/twenty-any-appends-to-a-new-stream-are-all-stored',
      'races/twenty-any-appends-to-an-old-stream-are-all-stored',
    ],
  },
  {
    fault: 'a condition is checked without a lock',
    cases: [
      'races/of-eight-racers-one-wins',
      'races/of-eight-founders-one-wins',
      'checks/of-two-that-check-each-other-one-wins',
    ],
  },
  {
    fault: 'any races deadlock',
    cases: ['races/any-and-numbered-appends-mixed', 'races/new-streams-in-opposite-orders-do-not-deadlock'],
  },
  {
    fault: 'appends to several streams lock in opposite orders',
    cases: [
      'races/append-many-in-opposite-orders-does-not-deadlock',
      'races/append-many-either-way-beside-single-appends',
    ],
  },
  {
    fault: 'numbers overflow 32 bits or lose digits',
    cases: ['numbers/versions-beyond-32-bits', 'data/numbers-to-the-last-bit'],
  },
  {
    fault: 'U+0000 and lone surrogates get in; a checksum covers text that the database re-orders',
    cases: [
      'json-limits/data-is-json',
      'integrity/checksums-are-what-the-contract-says',
      'properties/any-json-comes-back',
    ],
  },
  {
    fault: 'collations merge ids; row numbers are used again',
    cases: [
      'ids/of-streams-are-compared-byte-by-byte',
      'ids/of-tenants-are-compared-byte-by-byte',
      'numbers/a-deleted-tail-frees-no-position',
    ],
  },
  {
    fault: 'a lost answer, retried, stores twice',
    cases: [
      'outages/a-lost-answer-stores-once',
      'outages/a-lost-answer-stores-once-under-ids-of-the-store',
      'idempotency/unawaited-repetitions-do-not-conflict',
    ],
  },
  {
    fault: 'no-stream is accepted on an existing stream, stream-exists on a missing one',
    cases: [
      'expected-version/existing-stream-is-not-no-stream',
      'expected-version/missing-stream-does-not-exist',
    ],
  },
  {
    fault: 'one event id is stored twice',
    cases: ['idempotency/unawaited-repetitions-store-once', 'duplicates/of-racing-streams-one-gets-the-id'],
  },
  {
    fault: 'versions have gaps',
    cases: [
      'races/no-version-is-left-out-or-given-twice',
      'expected-version/existing-stream-is-not-one-ahead',
    ],
  },
  {
    fault: 'the archived flag is ignored',
    cases: ['archive/closes-a-stream-to-appends', 'archive/racing-with-the-first-append-works-or-says-so'],
  },
  {
    fault: 'an operation of one tenant touches others',
    cases: [
      'tenants/archive-only-their-own-streams',
      'tenants/count-only-what-is-theirs',
      'duplicates/ids-of-other-tenants-are-free',
    ],
  },
  {
    fault: 'the pool runs dry; close meets appends that wait; a connection in the pool is broken',
    cases: [
      'lifecycle/paused-reads-hold-no-connection',
      'lifecycle/close-waits-for-appends',
      'outages/dropped-connections-are-replaced',
    ],
  },
  {
    fault: 'a notification is lost while nobody listens',
    cases: [
      'feed-outages/subscriptions-outlive-dropped-connections',
      'feed-outages/subscriptions-outlive-an-absence',
    ],
  },
  {
    fault: 'a checkpoint does not move over what a filter hides',
    cases: [
      'projections/move-on-where-there-is-nothing-for-them',
      'subscriptions/move-on-where-the-filter-finds-nothing',
    ],
  },
  {
    fault: 'a checkpoint runs past events that were parked or are tried again',
    cases: [
      'parked/park-the-event-and-what-is-behind-it-in-its-stream',
      'parked/stay-parked-across-leaders',
      'projections/commit-nothing-of-a-piece-that-fails',
    ],
  },
  {
    fault: 'an event is applied twice after a restart, by two runners, or because only its checkpoint failed',
    cases: [
      'projections/go-on-where-they-stopped',
      'projections/have-one-leader',
      'projections/are-spread-over-the-processes-that-run-them',
      'checkpoints/a-leader-of-an-older-epoch-commits-nothing',
      'checkpoints/a-lease-that-runs-out-is-taken-over',
    ],
  },
  {
    fault: 'an event cannot be parked, and nobody hears of it; health is green while a feed stands still',
    cases: [
      'parked/an-event-that-cannot-be-parked-is-not-passed',
      'checkpoints/health-names-what-stands-still',
    ],
  },
  {
    fault: 'after a restore a checkpoint lies beyond the end, or belongs to another log',
    cases: [
      'checkpoints/beyond-the-end-of-the-log-is-refused',
      'checkpoints/that-remembers-another-event-is-refused',
      'checkpoints/of-another-log-is-refused',
    ],
  },
  {
    fault: 'many processes migrate at once; older code meets a newer schema',
    cases: ['migrations/may-run-in-many-processes-at-once', 'migrations/refuse-a-database-that-is-newer'],
  },
]
