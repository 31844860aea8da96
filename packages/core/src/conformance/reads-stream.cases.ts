import type { EventRead, ReadStreamOptions } from '../event-store.js'
import { events, holds, idsOf, refused, same, upTo, versionsOf } from './helpers.js'
import { topic } from './topic.js'

/** What the contract says that a read of versions 1 … `stored` gives. */
function expected(stored: number, options: ReadStreamOptions): number[] {
  const { fromVersion = 1, toVersion = stored, direction = 'forwards', limit = stored } = options
  const range = upTo(stored).filter((version) => version >= fromVersion && version <= toVersion)
  return (direction === 'forwards' ? range : range.toReversed()).slice(0, limit)
}

async function agrees(read: EventRead, versions: number[], message: string): Promise<void> {
  same(versionsOf(await read.toArray()), versions, message)
  same((await read.first())?.version, versions[0], `first of ${message}`)
  same((await read.last())?.version, versions.at(-1), `last of ${message}`)
  same(await read.count(), versions.length, `count of ${message}`)
}

export const readsStream = topic('reads-stream', {
  'every-combination-of-range-direction-and-limit': async ({ store }) => {
    await store.append('a', events(5))
    await store.append('b', events(9))
    for (const fromVersion of [undefined, 0, 1, 2, 5, 6])
      for (const toVersion of [undefined, 1, 4, 5, 8])
        for (const direction of [undefined, 'forwards', 'backwards'] as const)
          for (const limit of [undefined, 1, 3, 9]) {
            const options: ReadStreamOptions = {
              ...(fromVersion !== undefined && { fromVersion }),
              ...(toVersion !== undefined && { toVersion }),
              ...(direction !== undefined && { direction }),
              ...(limit !== undefined && { limit }),
            }
            const read = store.readStream('a', options)
            same(versionsOf(await read.toArray()), expected(5, options), JSON.stringify(options))
          }
  },

  'first-last-and-count-agree': async ({ store }) => {
    await store.append('a', events(5))
    for (const direction of ['forwards', 'backwards'] as const)
      for (const range of [
        {},
        { limit: 3 },
        { fromVersion: 2, toVersion: 4 },
        { fromVersion: 2, limit: 2 },
        { fromVersion: 9 },
      ]) {
        const options = { ...range, direction }
        await agrees(store.readStream('a', options), expected(5, options), JSON.stringify(options))
      }
  },

  'limit-0-gives-nothing': async ({ store }) => {
    await store.append('a', events(2))
    await agrees(store.readStream('a', { limit: 0 }), [], 'limit 0')
    await agrees(store.readStream('a', { limit: 0, direction: 'backwards' }), [], 'limit 0 backwards')
  },

  'an-empty-range-gives-nothing': async ({ store }) => {
    await store.append('a', events(4))
    await agrees(store.readStream('a', { fromVersion: 3, toVersion: 2 }), [], '3 to 2')
    await agrees(store.readStream('a', { toVersion: 0 }), [], 'to 0')
    await agrees(store.readStream('a', { fromVersion: 5 }), [], 'from 5')
  },

  'a-missing-stream-gives-nothing': async ({ store }) => {
    await store.append('a', events(1))
    await agrees(store.readStream('missing'), [], 'missing')
    await agrees(store.readStream('missing', { direction: 'backwards', limit: 1 }), [], 'missing')
  },

  'asks-when-iterated-and-anew-each-time': async ({ store }) => {
    const read = store.readStream('a')
    same(await read.toArray(), [])
    const batch = events(3)
    await store.append('a', batch.slice(0, 1))
    same(idsOf(await read.toArray()), idsOf(batch.slice(0, 1)))
    await store.append('a', batch.slice(1))
    same([await read.count(), idsOf(await read.toArray())], [3, idsOf(batch)])
    same(versionsOf([await read.first(), await read.last()].filter((one) => one !== undefined)), [1, 3])
  },

  'iterations-of-one-read-are-independent': async ({ store }) => {
    await store.append('a', events(4))
    const read = store.readStream('a')
    const seen: number[] = []
    for await (const outer of read)
      for await (const inner of read) seen.push(outer.version * 10 + inner.version)
    same(
      seen,
      upTo(4).flatMap((outer) => upTo(4).map((inner) => outer * 10 + inner)),
    )
  },

  'longer-than-a-page': async ({ store }) => {
    const batch = events(2_300)
    await store.append('a', batch)
    await holds(store, 'a', batch)
    for (const options of [
      { direction: 'backwards' },
      { fromVersion: 700, toVersion: 2_100 },
      { limit: 1_500 },
      { direction: 'backwards', limit: 1_500, toVersion: 2_200 },
    ] as const) {
      same(
        versionsOf(await store.readStream('a', options).toArray()),
        expected(2_300, options),
        JSON.stringify(options),
      )
    }
    await agrees(
      store.readStream('a', { limit: 2_000, direction: 'backwards' }),
      expected(2_300, { limit: 2_000, direction: 'backwards' }),
      'long',
    )
  },

  'stops-on-break': async ({ store }) => {
    await store.append('a', events(2_300))
    for (const direction of ['forwards', 'backwards'] as const)
      for (const stop of [1, 2, 1_200]) {
        let seen = 0
        for await (const _ of store.readStream('a', { direction })) if (++seen === stop) break
        same(seen, stop)
      }
    same((await store.append('a', events(1))).version, 2_301)
  },

  'an-error-thrown-while-iterating-comes-through': async ({ store }) => {
    await store.append('a', events(3))
    const failure = new Error('in the loop')
    const iterate = async (): Promise<void> => {
      for await (const one of store.readStream('a')) if (one.version === 2) throw failure
    }
    await iterate().then(
      () => Promise.reject(new Error('swallowed')),
      (error: unknown) => same(error, failure),
    )
    same(await store.readStream('a').count(), 3)
  },

  'nonsense-is-refused': async ({ store }) => {
    await store.append('a', events(2))
    const nonsense = [
      { fromversion: 1 },
      { after: 1 },
      { types: ['a'] },
      { fromVersion: -1 },
      { fromVersion: 1.5 },
      { toVersion: Number.NaN },
      { toVersion: -1 },
      { limit: -1 },
      { limit: 0.5 },
      { limit: Number.POSITIVE_INFINITY },
      { limit: '1' },
      { fromVersion: 2 ** 53 },
      { direction: 'sideways' },
      { direction: 'backward' },
    ]
    for (const options of nonsense) {
      const misspelt = options as object
      await refused(() => store.readStream('a', misspelt).toArray(), 'VARVE_INVALID_ARGUMENT')
      await refused(() => store.readStream('a', misspelt).count(), 'VARVE_INVALID_ARGUMENT')
    }
  },
})
