import { at, collect, event, events, holds, idsOf, same, streamIds } from './helpers.js'
import { topic } from './topic.js'

// what collations, paddings, normalisations and trims like to take for one
const lookAlikes = [
  'Order-1',
  'order-1',
  'ORDER-1',
  'Order-1 ',
  ' Order-1',
  'Order-1  ',
  'Órder-1',
  'O\u0301rder-1',
  'Order-１',
  'straße',
  'strasse',
  'ﬁ',
  'fi',
  'I',
  'ı',
  'İ',
  'K',
  '\u212a',
  'a\u200bb',
  'ab',
  '1',
  '01',
  '1.0',
  '😀',
  '😁',
]

const inByteOrder = (ids: readonly string[]): string[] =>
  ids.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

export const ids = topic('ids', {
  'of-streams-are-compared-byte-by-byte': async ({ store }) => {
    const batches = lookAlikes.map(() => events(1))
    for (const [index, streamId] of lookAlikes.entries()) {
      const result = await store.append(streamId, at(batches, index), { expectedVersion: 'no-stream' })
      same([result.streamId, result.events[0]?.streamId], [streamId, streamId])
    }
    for (const [index, streamId] of lookAlikes.entries()) {
      await holds(store, streamId, at(batches, index))
      same((await store.getStream(streamId))?.streamId, streamId)
      same(idsOf(await store.readAll({ streamIds: [streamId] }).toArray()), idsOf(at(batches, index)))
    }
    same(await streamIds(store), inByteOrder(lookAlikes))
    await store.archiveStream('order-1')
    same((await store.getStream('Order-1'))?.archivedAt, undefined)
    await store.append('Order-1', events(1), { expectedVersion: 1 })
  },

  'of-streams-in-one-call': async ({ store }) => {
    await store.appendMany(
      lookAlikes.map((streamId) => ({ streamId, events: events(2), expectedVersion: 0 })),
    )
    for (const streamId of lookAlikes) same((await store.getStream(streamId))?.version, 2)
    await Promise.all(lookAlikes.map((streamId) => store.append(streamId, events(1), { expectedVersion: 2 })))
    for (const streamId of lookAlikes) same((await store.getStream(streamId))?.version, 3)
  },

  'of-tenants-are-compared-byte-by-byte': async ({ opened: { store } }) => {
    for (const tenantId of lookAlikes)
      await store.forTenant(tenantId).append('a', events(1), { expectedVersion: 0 })
    for (const tenantId of lookAlikes) {
      const [stored, ...none] = await store.forTenant(tenantId).readAll().toArray()
      same([stored?.tenantId, none], [tenantId, []])
    }
  },

  'of-types-and-stream-types-are-compared-byte-by-byte': async ({ store }) => {
    for (const [index, text] of lookAlikes.entries()) {
      await store.append(`s-${index}`, [event(text)], { streamType: text })
    }
    for (const [index, text] of lookAlikes.entries()) {
      for (const filter of [{ types: [text] }, { streamTypes: [text] }]) {
        const found = await store.readAll(filter).toArray()
        same(
          found.map(({ streamId, type, streamType }) => [streamId, type, streamType]),
          [[`s-${index}`, text, text]],
        )
      }
      same(await streamIds(store, { streamTypes: [text] }), [`s-${index}`])
    }
    const { eventTypes, streamTypes } = await store.statistics()
    same(inByteOrder(eventTypes.map(({ eventType }) => eventType)), inByteOrder(lookAlikes))
    same(inByteOrder(streamTypes.map(({ streamType }) => streamType)), inByteOrder(lookAlikes))
  },

  'in-other-filters-are-compared-byte-by-byte': async ({ store }) => {
    await store.append(
      'a',
      lookAlikes.map((text) =>
        event('tested', text, {
          tags: [text],
          correlationId: text,
          causationId: text,
          createdBy: text,
          metadata: { text },
        }),
      ),
    )
    for (const text of lookAlikes) {
      const filters = [
        { tags: [text] },
        { correlationId: text },
        { causationId: text },
        { createdBy: text },
        { metadata: { text } },
      ]
      for (const filter of filters) {
        same(
          (await store.readAll(filter).toArray()).map(({ data }) => data),
          [text],
          JSON.stringify(filter),
        )
      }
    }
  },

  'pages-of-streams-go-by-bytes': async ({ store }) => {
    const ordered = inByteOrder([
      ...lookAlikes,
      '\uffff',
      '\u{10000}',
      'z',
      'Z',
      'a',
      'á',
      '~',
      '\ud7ff',
      '\ue000',
    ])
    await store.appendMany(ordered.toReversed().map((streamId) => ({ streamId, events: events(1) })))
    same(await streamIds(store), ordered)
    for (const [index, after] of ordered.entries()) {
      const page = await collect(store.listStreams({ after, limit: 2 }))
      same(
        page.map(({ streamId }) => streamId),
        ordered.slice(index + 1, index + 3),
      )
    }
  },
})
