import assert from 'node:assert/strict'
import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import type { EventStore } from '../event-store.js'
import type { JsonObject, JsonValue } from '../json.js'
import { expectedChecksum } from './checksum-model.js'
import { at, event, idsOf, same, upTo, versionsOf } from './helpers.js'
import { explain, type Model } from './history-model.js'
import { arbitraryRound, perform, type Round } from './histories.js'
import { topic } from './topic.js'

// looking for the smallest counterexample ends in time
const bounds = { includeErrorInReport: true, interruptAfterTimeLimit: 15_000 }

// U+0000 is refused, as the limits say
const anyText = fc.string({ unit: 'binary', maxLength: 40 }).map((text) => text.replaceAll('\u0000', '0'))
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 40 })
  .map((text) => text.replaceAll(/\p{Cc}/gu, 'c'))
const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

const { json, object } = fc.letrec<{ json: JsonValue; object: JsonObject }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'json' },
    fc.oneof(number, anyText, fc.boolean(), fc.constant(null)),
    fc.array(tie('json'), { maxLength: 5, depthIdentifier: 'json' }),
    tie('object'),
  ),
  object: fc.dictionary(anyText, tie('json'), { maxKeys: 5, depthIdentifier: 'json', noNullPrototype: true }),
}))

/** The value with every `-0` as `0`. */
function withoutNegativeZero(value: JsonValue): JsonValue {
  if (Object.is(value, -0)) return 0
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(withoutNegativeZero)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withoutNegativeZero(member)]))
}

export const properties = topic('properties', {
  'any-json-comes-back': async ({ store }) => {
    let run = 0
    const batch = fc.array(fc.record({ data: json, metadata: object }), { minLength: 1, maxLength: 12 })
    const property = fc.asyncProperty(batch, async (given) => {
      const streamId = `s-${(run += 1)}`
      const { events: recorded } = await store.append(
        streamId,
        given.map(({ data, metadata }) => event('tested', data, { metadata })),
      )
      const read = await store.readStream(streamId).toArray()
      same(read, recorded)
      for (const [index, { data, metadata }] of given.entries()) {
        const stored = at(read, index)
        same([stored.data, stored.metadata], [withoutNegativeZero(data), withoutNegativeZero(metadata)])
        same(stored.checksum, expectedChecksum(stored))
      }
    })
    await fc.assert(property, { ...bounds, numRuns: 40 })
    same((await store.verify()).problems, [])
  },

  'any-unicode-may-be-a-name': async ({ store }) => {
    const names = fc.record({
      streamId: name,
      type: name,
      streamType: name,
      tag: name,
      correlationId: name,
      createdBy: name,
    })
    const taken = new Set<string>()
    const property = fc.asyncProperty(
      names,
      async ({ streamId, type, streamType, tag, correlationId, createdBy }) => {
        fc.pre(!taken.has(streamId) && !type.endsWith('.*'))
        taken.add(streamId)
        const {
          events: [recorded],
        } = await store.append(streamId, [event(type, 1, { tags: [tag], correlationId, createdBy })], {
          expectedVersion: 'no-stream',
          streamType,
        })
        assert.ok(recorded)
        same(
          [recorded.streamId, recorded.type, recorded.streamType, recorded.tags],
          [streamId, type, streamType, [tag]],
        )
        same([recorded.correlationId, recorded.createdBy], [correlationId, createdBy])
        same(await store.readStream(streamId).toArray(), [recorded])
        const filter = {
          streamIds: [streamId],
          types: [type],
          streamTypes: [streamType],
          tags: [tag],
          correlationId,
          createdBy,
        }
        same(await store.readAll(filter).toArray(), [recorded])
        same((await store.getStream(streamId))?.streamType, streamType)
      },
    )
    await fc.assert(property, { ...bounds, numRuns: 60 })
  },

  'histories-of-concurrent-writers-agree-with-a-simple-model': async ({ opened, another }) => {
    await another()
    const other = await opened.another()
    let run = 0
    const property = fc.asyncProperty(
      fc.array(arbitraryRound, { minLength: 1, maxLength: 8 }),
      async (history) => {
        const tenantId = `history-${(run += 1)}`
        await follow([opened.store.forTenant(tenantId), other.forTenant(tenantId)], history)
      },
    )
    await fc.assert(property, { ...bounds, numRuns: 30 })
  },
})

/** Runs the rounds of a history one after another, the operations of a round at once, and compares after each. */
async function follow(stores: readonly EventStore[], history: readonly Round[]): Promise<void> {
  let model: Model = new Map()
  let older: readonly string[] = []
  for (const [index, round] of history.entries()) {
    const steps = await perform(stores, round)
    const told = `round ${index + 1}: ${JSON.stringify(steps, undefined, 1)}`
    const explanations = explain(model, steps)
    assert.ok(explanations.length > 0, `no order of the operations gives these outcomes, ${told}`)

    const store = at(stores, index % stores.length)
    const found = await snapshot(store)
    const explained = explanations.find((one) => isDeepStrictEqual(one, found))
    assert.ok(explained, `what is stored is ${inspect(found)}, and no order gives that, ${told}`)
    model = explained

    const all = (await store.readAll().toArray()).map(({ id }) => id)
    same(new Set(all), new Set([...model.values()].flatMap(({ ids }) => ids)))
    same(all.slice(0, older.length), older, `what was there before comes first, ${told}`)
    older = all
  }
}

/** What the store holds, in the terms of the model. */
async function snapshot(store: EventStore): Promise<Model> {
  const streams = new Map<string, { ids: string[]; archived: boolean }>()
  for await (const { streamId, version, archivedAt } of store.listStreams({ includeArchived: true })) {
    const stored = await store.readStream(streamId).toArray()
    same(versionsOf(stored), upTo(version))
    streams.set(streamId, {
      ids: idsOf(stored).filter((id) => id !== undefined),
      archived: archivedAt !== undefined,
    })
  }
  return streams
}
