import assert from 'node:assert/strict'
import type { VerifyOptions, VerifyReport } from '../event-store.js'
import { expectedChecksum } from './checksum-model.js'
import { at, event, events, refused, same, upTo } from './helpers.js'
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

/** Three events of one stream, of which `change` alters something behind the store's back. */
const tampering =
  (
    change: (t: { events: string; streams: string; position: number; stream: string }) => string,
    kinds: readonly string[],
  ): Case =>
  async ({ store, opened }) => {
    const { events: stored } = await store.append('a', [rich(), rich(), rich()])
    await store.append('b', events(2))
    same((await store.verify()).ok, true)
    const stream = `tenant_id = '${store.tenantId}' and stream_id = 'a'`
    const [eventsTable, streams] = [opened.table('events'), opened.table('event_streams')]
    await opened.tamper(change({ events: eventsTable, streams, position: at(stored, 1).position, stream }))
    const report = await store.verify()
    same(report.ok, false)
    const kindsFound = new Set(report.problems.map(({ kind }) => kind))
    assert.ok(
      kinds.some((kind) => kindsFound.has(kind as never)),
      `found ${[...kindsFound].join()}, expected ${kinds.join(' or ')}`,
    )
    for (const problem of report.problems) same([problem.streamId, problem.detail.length > 0], ['a', true])
    const acrossTenants = await opened.store.allTenants().verify()
    assert.ok(acrossTenants.problems.length >= report.problems.length)
  }

const changing = (assignment: string): Case =>
  tampering(
    ({ events: table, position }) => `update ${table} set ${assignment} where position = ${position}`,
    ['checksum'],
  )

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

  // that of the event before it, in whatever form the engine keeps it
  'verify-sees-a-changed-checksum': tampering(
    ({ events: table, position }) =>
      `update ${table} set checksum = (select checksum from (select checksum from ${table} where position = ${position - 1}) as other) where position = ${position}`,
    ['checksum'],
  ),

  'verify-sees-a-missing-event': tampering(
    ({ events: table, position }) => `delete from ${table} where position = ${position}`,
    ['version-gap'],
  ),

  'verify-sees-a-missing-tail': tampering(
    ({ events: table, position }) => `delete from ${table} where position = ${position + 1}`,
    ['head', 'version-gap'],
  ),

  'verify-sees-a-changed-head': tampering(
    ({ streams, stream }) => `update ${streams} set version = 9 where ${stream}`,
    ['head'],
  ),

  'verify-sees-a-missing-head': tampering(
    ({ streams, stream }) => `delete from ${streams} where ${stream}`,
    ['orphan', 'head'],
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
