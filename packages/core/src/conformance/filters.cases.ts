import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { EventFilter, ReadAllOptions } from '../event-store.js'
import { aLog, agree, filtering } from './filter-log.js'
import { matches } from './filter-model.js'
import { at, event, events, idsOf, refused, same, upTo } from './helpers.js'
import { topic } from './topic.js'

export const filters = topic('filters', {
  'by-exact-type': filtering(
    { types: ['money.deposited'] },
    { types: ['money'] },
    { types: ['m%'] },
    { types: ['none'] },
  ),

  'by-several-types': filtering({ types: ['money', 'money.withdrawn'] }, { types: ['money', 'money'] }),

  'by-type-prefix-with-its-dot': filtering(
    { types: ['money.*'] },
    { types: ['money.in.*'] },
    { types: ['moneyx.*'] },
    { types: ['Money.*'] },
  ),

  'by-type-prefix-without-wildcards-in-it': filtering(
    { types: ['mo_ey.*'] },
    { types: ['m%.*'] },
    { types: ['m_n%.*'] },
    { types: ['money%'] },
  ),

  'by-prefix-and-exact-type-together': filtering(
    { types: ['money.in.*', 'm%', 'money'] },
    { types: ['none.*', 'money'] },
  ),

  'by-stream-type': filtering(
    { streamTypes: ['account'] },
    { streamTypes: ['account', 'order'] },
    { streamTypes: ['account.*'] },
  ),

  'by-stream-id': filtering(
    { streamIds: ['s-1'] },
    { streamIds: ['s-1', 's-4', 'none'] },
    { streamIds: ['s-%'] },
    { streamIds: ['s-1', 's-1'] },
  ),

  'by-tag': filtering({ tags: ['two'] }, { tags: ['five:3'] }, { tags: ['five'] }, { tags: ['none'] }),

  'by-all-of-several-tags': filtering(
    { tags: ['two', 'three'] },
    { tags: ['two', 'three', 'five:1'] },
    { tags: ['two', 'two'] },
    { tags: ['two', 'none'] },
  ),

  'by-correlation-id': filtering({ correlationId: 'c-1' }, { correlationId: 'none' }),

  'by-causation-id': filtering({ causationId: 'd-1' }, { causationId: 'none' }),

  'by-creator': filtering({ createdBy: 'e-1' }, { createdBy: 'none' }),

  'an-empty-list-of-types-matches-nothing': filtering({ types: [] }, { types: [], tags: ['two'] }),

  'an-empty-list-of-stream-types-matches-nothing': filtering(
    { streamTypes: [] },
    { streamTypes: [], types: ['money'] },
  ),

  'an-empty-list-of-stream-ids-matches-nothing': filtering(
    { streamIds: [] },
    { streamIds: [], types: ['money'] },
  ),

  'an-empty-list-of-tags-restricts-nothing': filtering({ tags: [] }, { tags: [], types: ['money.*'] }),

  'by-metadata-of-each-type': filtering(
    ...[
      1,
      '1',
      true,
      'true',
      null,
      'null',
      0,
      false,
      '',
      1.5,
      9007199254740991,
      'Grüße 😀',
      2,
      'grüße 😀',
    ].map((n) => ({
      metadata: { n },
    })),
  ),

  'by-nested-metadata': filtering(
    { metadata: { n: { a: 1 } } },
    { metadata: { n: { a: 1, b: 'x' } } },
    { metadata: { n: { b: 'x' }, m: 2 } },
    { metadata: { n: { a: 2 } } },
    { metadata: { a: { b: 2 } } },
    { metadata: { n: { 0: 1 } } },
  ),

  'by-metadata-with-odd-keys': filtering(
    { metadata: { 'a.b': 1 } },
    { metadata: { 'a"b': 'q"\\' } },
    { metadata: { $: '$' } },
    { metadata: { ' n': 1 } },
    { metadata: { N: 1 } },
    { metadata: { '': 'empty' } },
    { metadata: { 0: 'zero' } },
    { metadata: { "it's": 1 } },
  ),

  'by-no-metadata-in-particular': filtering({ metadata: {} }),

  'by-the-time-of-recording-half-open': async ({ store }) => {
    const log = await aLog(store)
    for (const n of [0, 5, 20, 35]) {
      const time = at(log, n).recordedAt
      const later = new Date(time.getTime() + 1)
      await agree(store, log, { recordedFrom: time })
      await agree(store, log, { recordedTo: time })
      await agree(store, log, { recordedFrom: later })
      await agree(store, log, { recordedTo: later })
      await agree(store, log, { recordedFrom: time, recordedTo: later })
      await agree(store, log, { recordedFrom: time, recordedTo: time })
    }
    await agree(store, log, { recordedFrom: new Date(0), recordedTo: new Date('9999-12-31T00:00:00Z') })
  },

  'all-combine-by-and': async ({ store }) => {
    const log = await aLog(store)
    const parts: EventFilter[] = [
      { types: ['money.*', 'money'] },
      { streamTypes: ['account', 'order'] },
      { streamIds: ['s-0', 's-1', 's-2', 's-4'] },
      { tags: ['three'] },
      { correlationId: 'c-1' },
      { causationId: 'd-1' },
      { createdBy: 'e-1' },
      { recordedFrom: at(log, 4).recordedAt },
      { recordedTo: new Date(at(log, 30).recordedAt.getTime() + 1) },
      { metadata: { n: 1 } },
    ]
    for (const [index, one] of parts.entries())
      for (const other of parts.slice(index + 1)) {
        const filter = { ...one, ...other }
        const found = log.filter((recorded) => matches(recorded, filter))
        same(idsOf(await store.readAll(filter).toArray()), idsOf(found), JSON.stringify(filter))
      }
    await agree(store, log, Object.assign({}, ...parts.slice(0, 4)) as EventFilter)
    await agree(store, log, Object.assign({}, ...parts) as EventFilter)
  },

  'the-limit-counts-what-passed-them': async ({ store }) => {
    const rare = [event('rare'), event('rare'), event('rare')].map((one) => ({ ...one, id: randomUUID() }))
    for (const one of rare) await store.append('a', [...events(700), one])
    const options = { types: ['rare'], limit: 2 }
    same(idsOf(await store.readAll(options).toArray()), idsOf(rare.slice(0, 2)))
    same(
      idsOf(await store.readAll({ ...options, direction: 'backwards' }).toArray()),
      idsOf(rare.toReversed().slice(0, 2)),
    )
    same(await store.readAll({ types: ['rare'] }).count(), 3)
    same((await store.readAll({ types: ['rare'] }).last())?.id, at(rare, 2).id)
  },

  'lists-may-be-long': async ({ store }) => {
    const many = upTo(1_500).map((n) => `x-${n}`)
    const [one] = (await store.append('a', [event('t', 1)], { streamType: 'k' })).events
    assert.ok(one)
    for (const filter of [
      { streamIds: [...many, 'a'] },
      { types: [...many, 't'] },
      { streamTypes: [...many, 'k'] },
    ]) {
      same(await store.readAll(filter).toArray(), [one])
    }
  },

  'work-across-tenants': async ({ fresh }) => {
    const { store } = await fresh()
    await store.forTenant('one').append('a', [event('x', 1), event('y', 2)])
    await store.forTenant('two').append('a', [event('x', 3)])
    const found = await store
      .allTenants()
      .readAll({ types: ['x'], streamIds: ['a'] })
      .toArray()
    same(
      found.map(({ tenantId, data }) => [tenantId, data]),
      [
        ['one', 1],
        ['two', 3],
      ],
    )
  },

  'nonsense-is-refused': async ({ store }) => {
    await store.append('a', events(2))
    const nonsense: unknown[] = [
      { types: 'money' },
      { streamTypes: 'account' },
      { streamIds: 'a' },
      { tags: 'two' },
      { types: [1] },
      { correlationId: 1 },
      { createdBy: null },
      { metadata: { n: [1] } },
      { metadata: { n: { a: [] } } },
      { metadata: [] },
      { metadata: 'n' },
      { metadata: null },
      { metadata: { n: undefined } },
      { metadata: { n: Number.NaN } },
      { recordedFrom: new Date(Number.NaN) },
      { recordedTo: '2024-01-01' },
      { occurredFrom: new Date() },
    ]
    for (const options of nonsense) {
      await refused(() => store.readAll(options as ReadAllOptions).toArray(), 'VARVE_INVALID_ARGUMENT')
    }
  },
})
