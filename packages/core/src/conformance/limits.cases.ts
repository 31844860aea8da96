import { randomUUID } from 'node:crypto'
import type { NewEvent } from '../event.js'
import { at, event, events, refused, refusedAt, same, upTo } from './helpers.js'
import { topic, type Case } from './topic.js'

const euros = (count: number): string => '€'.repeat(count) // three bytes each
const longest = ['x', 'x'.repeat(255), euros(85)]
const noText = [
  '',
  'x'.repeat(256),
  `${euros(85)}x`,
  'a\u0000b',
  'a\nb',
  'a\u001fb',
  'a\u007fb',
  '\ud800',
  'a\udc00b',
]
// of the text arguments beside the event, either error names the culprit
const badArgument = ['VARVE_INVALID_EVENT', 'VARVE_INVALID_ARGUMENT'] as const

/** A text of 1 to 255 bytes in an event: `where` puts it there, and finds it again. */
const textOf =
  (name: string, put: (text: string) => Partial<NewEvent>): Case =>
  async ({ store }) => {
    for (const text of longest) {
      const given = { ...event(), ...put(text) }
      const { events: recorded } = await store.append('a', [given])
      for (const [key, value] of Object.entries(put(text))) {
        same(at(recorded, 0)[key as keyof NewEvent], value)
        same(
          (await store.readStream('a', { direction: 'backwards' }).first())?.[key as keyof NewEvent],
          value,
        )
      }
    }
    for (const text of noText)
      await refusedAt(store, { ...event(), ...put(text) }, new RegExp(`^events\\[1\\]\\.${name}`))
  }

/** Data whose event has this size: `"xxx"` and the metadata `{}`. */
const sized = (bytes: number): NewEvent => event('sized', 'x'.repeat(bytes - 4))

export const limits = topic('limits', {
  'type-of-1-to-255-bytes': textOf('type', (type) => ({ type })),

  'correlation-id-of-1-to-255-bytes': textOf('correlationId', (correlationId) => ({ correlationId })),

  'causation-id-of-1-to-255-bytes': textOf('causationId', (causationId) => ({ causationId })),

  'created-by-of-1-to-255-bytes': textOf('createdBy', (createdBy) => ({ createdBy })),

  'tags-of-1-to-255-bytes': textOf('tags', (tag) => ({ tags: ['first', tag] })),

  'stream-id-of-1-to-255-bytes': async ({ store }) => {
    for (const streamId of longest) {
      await store.append(streamId, events(1))
      same((await store.getStream(streamId))?.streamId, streamId)
      same((await store.readStream(streamId).first())?.streamId, streamId)
    }
    for (const streamId of noText) {
      await refused(store.append(streamId, events(1)), badArgument)
      await refused(store.appendMany([{ streamId, events: events(1) }]), badArgument)
    }
    same(await store.readAll().count(), longest.length)
  },

  'stream-type-of-1-to-255-bytes': async ({ store }) => {
    for (const [index, streamType] of longest.entries()) {
      await store.append(`s-${index}`, events(1), { streamType })
      same((await store.getStream(`s-${index}`))?.streamType, streamType)
    }
    for (const streamType of noText) await refused(store.append('a', events(1), { streamType }), badArgument)
    same(await store.getStream('a'), undefined)
  },

  'tenant-id-of-1-to-255-bytes': async ({ opened: { store } }) => {
    for (const tenantId of longest) {
      await store.forTenant(tenantId).append('tenant-limits', events(1))
      same((await store.forTenant(tenantId).readStream('tenant-limits').first())?.tenantId, tenantId)
    }
    for (const tenantId of noText) {
      await refused(() => store.forTenant(tenantId).append('a', events(1)), badArgument)
    }
  },

  'at-most-32-tags': async ({ store }) => {
    const tags = upTo(32).map((n) => `tag:${n}`)
    const {
      events: [recorded],
    } = await store.append('a', [event('tested', {}, { tags })])
    same(recorded?.tags, tags)
    await refusedAt(store, event('tested', {}, { tags: [...tags, 'tag:33'] }), /^events\[1\]\.tags/)
  },

  'max-event-bytes': async ({ fresh }) => {
    const { store } = await fresh({ maxEventBytes: 200 })
    const half = event('tested', 'é'.repeat(45), { metadata: { m: 'é'.repeat(50) } }) // 92 + 108 bytes
    await store.append('a', [sized(200), half])
    await refusedAt(store, sized(201), /^events\[1\]/)
    await refusedAt(store, { ...half, data: `${'é'.repeat(45)}x` }, /^events\[1\]/)
    await refusedAt(store, event('tested', '', { metadata: { m: 'x'.repeat(191) } }), /^events\[1\]/)
    same(await store.readAll().count(), 2)
  },

  'max-append-bytes': async ({ fresh }) => {
    const { store } = await fresh({ maxEventBytes: 600, maxAppendBytes: 1_000 })
    await store.append('a', [sized(500), sized(500)])
    await refused(store.append('b', [sized(500), sized(501)]), 'VARVE_INVALID_EVENT')
    const write = (streamId: string, bytes: number) => ({ streamId, events: [sized(bytes)] })
    await store.appendMany([write('c', 400), write('d', 600)])
    await refused(store.appendMany([write('e', 401), write('f', 600)]), 'VARVE_INVALID_EVENT')
    same(await store.readAll().count(), 4)
  },

  'one-mebibyte-by-default': async ({ store }) => {
    await store.append('a', [sized(1_048_576)])
    same((await store.readStream('a').first())?.data, 'x'.repeat(1_048_572))
    await refusedAt(store, sized(1_048_577), /^events\[1\]/)
  },

  'eight-mebibytes-in-one-append-by-default': async ({ store }) => {
    const eight = upTo(8).map(() => sized(1_048_576))
    await refused(store.append('refused', [...eight, event('tested', 1)]), 'VARVE_INVALID_EVENT')
    same((await store.append('a', eight)).version, 8)
    same(await store.readStream('a').count(), 8)
  },

  'occurred-at-between-1970-and-9999': async ({ store }) => {
    for (const text of ['1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '2024-02-29T23:59:59.999Z']) {
      const occurredAt = new Date(text)
      await store.append('a', [event('tested', {}, { occurredAt })])
      same((await store.readStream('a', { direction: 'backwards' }).first())?.occurredAt, occurredAt)
    }
    const bad = [new Date(-1), new Date('+010000-01-01T00:00:00.000Z'), new Date(Number.NaN), '2024-01-01', 5]
    for (const value of bad) {
      await refusedAt(store, event('tested', {}, { occurredAt: value as Date }), /^events\[1\]\.occurredAt/)
    }
  },

  'schema-version-from-1-on': async ({ store }) => {
    await store.append('a', [event('tested', {}, { schemaVersion: 2_000_000 })])
    same((await store.readStream('a').first())?.schemaVersion, 2_000_000)
    for (const schemaVersion of [0, -1, 1.5, Number.NaN, '1' as unknown as number]) {
      await refusedAt(store, event('tested', {}, { schemaVersion }), /^events\[1\]\.schemaVersion/)
    }
  },

  'an-id-is-a-uuid': async ({ store }) => {
    const good = [
      randomUUID(),
      'c232ab00-9414-11ec-b3c8-9f6bdeced846',
      '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
      '00000000-0000-0000-0000-000000000000',
      'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
    ]
    await store.append(
      'a',
      good.map((id) => event('tested', {}, { id })),
    )
    for (const id of good) same((await store.getEvent(id))?.id, id.toLowerCase())
    const uuid = randomUUID()
    for (const id of [
      '',
      'abc',
      `{${uuid}}`,
      uuid.replaceAll('-', ''),
      `${uuid}0`,
      ` ${uuid}`,
      uuid.replace(/^./, 'g'),
    ]) {
      await refusedAt(store, event('tested', {}, { id }), /^events\[1\]\.id/)
    }
  },
})
