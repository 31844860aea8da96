import assert from 'node:assert/strict'
import type { VerifyOptions, VerifyProblem, VerifyReport } from '../event-store.js'
import { expectedChecksum } from './checksum-model.js'
import { event, events, positionsOf, refused, same, upTo } from './helpers.js'
import { topic, type Case } from './topic.js'

const rich = () =>
  event(
    'tested',
    { z: 1, a: { é: [1.5, -0, 1e21, 'ü\u2028"\\'], '\u{1f600}': null, '\ufb33': true } },
    {
      metadata: { b: 1, a: '2' },
      tags: ['b', 'a'],
      correlationId: 'c',
      causationId: 'd',
      createdBy: 'e',
      schemaVersion: 3,
      occurredAt: new Date('2001-02-03T04:05:06.007Z'),
    },
  )

interface Tampering {
  /** The names of the tables. */
  readonly events: string
  readonly streams: string
  /** Which row of `streams` is the head. */
  readonly head: string
  /** Positions of the three events of the stream. */
  readonly first: number
  readonly second: number
  readonly third: number
  /** Position of an event of another stream, which has none of the optional fields. */
  readonly plain: number
}

/** Three events of one stream, of which something is altered behind the store's back: a problem of such a kind is found. */
const tampering =
  (statement: (t: Tampering) => string, ...kinds: readonly VerifyProblem['kind'][]): Case =>
  async ({ store, opened }) => {
    const appended = await store.append('a', [rich(), rich(), rich()])
    const { position: plain } = await store.append('b', events(1))
    same((await store.verify()).ok, true)
    const [first = 0, second = 0, third = 0] = positionsOf(appended.events)
    const [eventsTable, streams] = [opened.table('events'), opened.table('event_streams')]
    const head = `tenant_id = '${store.tenantId}' and stream_id = 'a'`
    await opened.tamper(statement({ events: eventsTable, streams, head, first, second, third, plain }))
    const report = await store.verify()
    same(report.ok, false)
    const found = report.problems.map(({ kind }) => kind)
    assert.ok(
      found.some((kind) => kinds.includes(kind)),
      `found ${found.join()}, expected ${kinds.join(' or ')}`,
    )
    for (const problem of report.problems) same([problem.streamId, problem.detail.length > 0], ['a', true])
    const acrossTenants = await opened.store.allTenants().verify()
    assert.ok(acrossTenants.problems.length >= report.problems.length)
  }

const changing = (assignment: string): Case =>
  tampering(
    ({ events: table, second }) => `update ${table} set ${assignment} where position = ${second}`,
    'checksum',
  )

/** Copies a column from another event, in whatever form the engine keeps it. */
const copying = (column: string, from: 'first' | 'plain'): Case =>
  tampering(({ events: table, second, ...positions }) => {
    // MySQL updates no table that the same statement reads, unless through a derived one
    const copied = `select ${column} from (select ${column} from ${table} where position = ${positions[from]}) as other`
    return `update ${table} set ${column} = (${copied}) where position = ${second}`
  }, 'checksum')

export const integrity = topic('integrity', {
  'checksums-are-what-the-contract-says': async ({ store }) => {
    const { events: appended } = await store.append(
      'a',
      [rich(), event('plain', null), event('plain', 'text', { createdBy: 'x' })],
      {
        streamType: 'account',
      },
    )
    for (const one of [...appended, ...(await store.readStream('a').toArray())]) {
      assert.match(one.checksum, /^[0-9a-f]{64}$/)
      same(one.checksum, expectedChecksum(one))
    }
  },

  'checksums-differ-with-tenant-stream-and-version': async ({ opened: { store } }) => {
    const one = { ...rich(), id: '0197b0a4-5d1c-7000-8000-000000000001' }
    const first = await store.forTenant('sum-1').append('a', [one])
    const second = await store.forTenant('sum-2').append('a', [one])
    const third = await store.forTenant('sum-3').append('b', [one])
    const fourth = await store.forTenant('sum-4').append('a', [event(), one])
    const sums = [first, second, third, fourth].map(({ events: list }) => list.at(-1)?.checksum)
    same(new Set(sums).size, 4)
  },

  'verify-finds-nothing-wrong-in-a-sound-log': async ({ store }) => {
    same(await store.verify(), { ok: true, events: 0, streams: 0, problems: [] })
    await store.append('a', [rich(), rich()])
    await store.appendMany([
      { streamId: 'b', events: events(2) },
      { streamId: 'c', events: [rich()] },
    ])
    await store.archiveStream('c')
    same(await store.verify(), { ok: true, events: 5, streams: 3, problems: [] })
  },

  'verify-sees-changed-data': changing(`event_data = '{"forged":true}'`),

  'verify-sees-changed-metadata': changing(`metadata = '{"forged":true}'`),

  'verify-sees-a-changed-type': changing(`event_type = 'forged'`),

  'verify-sees-a-changed-schema-version': changing('schema_version = 99'),

  'verify-sees-a-changed-correlation': changing(`correlation_id = 'forged'`),

  'verify-sees-a-changed-cause': changing('causation_id = null'),

  'verify-sees-a-changed-creator': changing(`created_by = 'forged'`),

  'verify-sees-a-changed-checksum': copying('checksum', 'first'),

  'verify-sees-changed-tags': copying('tags', 'plain'),

  'verify-sees-a-changed-time': copying('occurred_at', 'plain'),

  'verify-sees-a-changed-stream-type': changing(`stream_type = 'forged'`),

  'verify-sees-a-missing-event': tampering(
    ({ events: table, second }) => `delete from ${table} where position = ${second}`,
    'version-gap',
  ),

  'verify-sees-a-missing-tail': tampering(
    ({ events: table, third }) => `delete from ${table} where position = ${third}`,
    'head',
    'version-gap',
  ),

  'verify-sees-a-changed-version': tampering(
    ({ events: table, third }) => `update ${table} set version = 7 where position = ${third}`,
    'version-gap',
    'checksum',
  ),

  'verify-sees-a-changed-head': tampering(
    ({ streams, head }) => `update ${streams} set version = 9 where ${head}`,
    'head',
  ),

  'verify-sees-a-missing-head': tampering(
    ({ streams, head }) => `delete from ${streams} where ${head}`,
    'orphan',
    'head',
  ),

  'verify-may-be-limited-to-a-range': async ({ store, opened }) => {
    const { events: stored } = await store.append(
      'a',
      upTo(5).map(() => rich()),
    )
    const [, second, third] = stored.map(({ position }) => position)
    await opened.tamper(
      `update ${opened.table('events')} set event_type = 'forged' where position = ${third}`,
    )
    const sums = (report: VerifyReport): unknown[] =>
      report.problems.map(({ kind, position }) => [kind, position])
    same(sums(await store.verify()), [['checksum', third]])
    same(sums(await store.verify({ after: second ?? 0 })), [['checksum', third]])
    same(sums(await store.verify({ until: third ?? 0 })), [['checksum', third]])
    same(sums(await store.verify({ after: third ?? 0 })), [])
    same(sums(await store.verify({ until: second ?? 0 })), [])
    same((await store.verify({ after: second ?? 0, until: third ?? 0 })).events, 1)
  },

  'verify-tells-its-progress-and-can-be-stopped': async ({ store }) => {
    await store.append('a', events(1_200))
    const progress: number[] = []
    await store.verify({ onProgress: (step) => progress.push(step.events) })
    assert.ok(progress.length > 0)
    same(
      progress,
      progress.toSorted((a, b) => a - b),
    )
    const reason = new Error('stopped by the case')
    const [outcome] = await Promise.allSettled([store.verify({ signal: AbortSignal.abort(reason) })])
    same(outcome.status, 'rejected')
  },

  'verify-refuses-nonsense': async ({ store }) => {
    for (const options of [
      { from: 1 },
      { after: -1 },
      { until: 1.5 },
      { after: Number.NaN },
    ] as VerifyOptions[]) {
      await refused(() => store.verify(options), 'VARVE_INVALID_ARGUMENT')
    }
  },
})
