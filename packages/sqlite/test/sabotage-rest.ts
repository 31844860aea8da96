import type { EventStore, NewEvent, RecordedEvent } from '@varve/core'
import { inTransactions, readOf, replaced } from './sabotage-wrap.js'
import type { Fault } from './sabotage-wrap.js'

/** Positions that transactions have taken and that no reader should know of yet, for the faults of the skip kind. */
const undecided = { highest: 0 }

export const otherFaults: Fault[] = [
  {
    name: 'keeps what a failed transaction appended',
    caughtBy: 'transaction',
    breaks: (store) => ({
      transaction: async (work, options) => {
        const appended: [string, readonly NewEvent[]][] = []
        try {
          return await store.transaction(
            (tx) =>
              work(
                replaced(tx, {
                  append: async (streamId, events, appendOptions) => {
                    const result = await tx.append(streamId, events, appendOptions)
                    appended.push([streamId, events])
                    return result
                  },
                }),
              ),
            options,
          )
        } catch (error) {
          for (const [streamId, events] of appended) await store.append(streamId, events)
          throw error
        }
      },
    }),
  },
  {
    name: 'wraps the error of a transaction',
    caughtBy: 'transaction',
    breaks: (store) => ({
      transaction: (work, options) =>
        store
          .transaction(work, options)
          .catch((cause: unknown) => Promise.reject(new Error('failed', { cause }))),
    }),
  },
  {
    name: 'swallows the error of a transaction',
    caughtBy: 'transaction',
    breaks: (store) => ({
      transaction: <T>(work: Parameters<EventStore['transaction']>[0], options?: object) =>
        store.transaction(work, options).catch(() => undefined) as Promise<T>,
    }),
  },
  {
    name: 'runs the work of a transaction again after any error',
    caughtBy: 'transaction',
    breaks: (store) => ({
      transaction: async (work, options) => {
        for (let left = options?.retries ?? 0; ; left -= 1) {
          try {
            return await store.transaction(work, options)
          } catch (error) {
            if (!(left > 0)) throw error
          }
        }
      },
    }),
  },
  {
    name: 'commits although the work failed',
    caughtBy: 'transaction',
    breaks: (store) => ({
      transaction: async (work, options) => {
        let failure: { readonly error: unknown } | undefined
        const value = await store.transaction(async (tx) => {
          try {
            return await work(tx)
          } catch (error) {
            failure = { error }
            return undefined as never
          }
        }, options)
        if (failure !== undefined) throw failure.error
        return value
      },
    }),
  },
  {
    name: 'keeps a part of a failed appendMany in a transaction',
    caughtBy: 'transaction',
    breaks: (store) =>
      inTransactions(store, (tx) => ({
        appendMany: async (writes) => {
          const results = []
          for (const write of writes) results.push(...(await tx.appendMany([write])))
          return results
        },
      })),
  },
  {
    name: 'does not see its own writes in a transaction',
    caughtBy: 'transaction',
    breaks: (store) =>
      inTransactions(store, (tx) => {
        const own = new Set<string>()
        return {
          append: async (...call) => {
            const result = await tx.append(...call)
            for (const { id } of result.events) own.add(id)
            return result
          },
          readStream: (streamId, options) =>
            readOf(async () =>
              (await tx.readStream(streamId, options).toArray()).filter(({ id }) => !own.has(id)),
            ),
        }
      }),
  },
  {
    name: 'appends outside of the callers transaction',
    caughtBy: 'using',
    breaks: (store) => ({
      using: (client) => {
        const tx = store.using(client)
        // written when the caller's transaction is over, whatever became of it
        const later = (...call: Parameters<EventStore['append']>) =>
          void setTimeout(() => void store.append(...call).catch(() => undefined), 0)
        return replaced(tx, {
          append: async (...call) => {
            later(...call)
            return { streamId: call[0], version: 1, position: 1, events: [], duplicate: false }
          },
        })
      },
    }),
  },
  {
    name: 'skips what commits late',
    caughtBy: 'skips',
    breaks: (store) => {
      // as if the transaction had been given its positions, and a reader had passed them, before it committed
      const passed = new Set<string>()
      return {
        ...inTransactions(store, (tx) => ({
          append: async (...call) => {
            const result = await tx.append(...call)
            for (const { id } of result.events) lateCommits.add(id)
            return result
          },
        })),
        readAll: (options) =>
          readOf(async () => {
            const events: RecordedEvent[] = []
            for (const event of await store.readAll(options).toArray()) {
              if (options?.direction !== 'backwards' && lateCommits.has(event.id) && !passed.has(event.id))
                passed.add(event.id)
              else events.push(event)
            }
            return events
          }),
      }
    },
  },
  {
    name: 'calls settled what is not decided',
    caughtBy: 'skips',
    breaks: (store) => ({
      ...inTransactions(store, (tx) => ({
        append: async (...call) => {
          const result = await tx.append(...call)
          undecided.highest = Math.max(undecided.highest, result.position)
          return result
        },
      })),
      settledPosition: async () => Math.max(undecided.highest, await store.settledPosition()),
    }),
  },
  { name: 'never settles', caughtBy: 'stalls', breaks: () => ({ settledPosition: async () => 0 }) },
  {
    name: 'settles only what a filter finds',
    caughtBy: 'stalls',
    breaks: (store) => ({
      settledPosition: async () => (await store.readAll({ types: ['never'] }).last())?.position ?? 0,
    }),
  },
  {
    name: 'reads twice what was read before',
    caughtBy: 'skips',
    breaks: (store) => ({
      readAll: (options = {}) =>
        store.readAll({ ...options, ...(options.after && { after: options.after - 1 }) }),
    }),
  },
  {
    name: 'waits for numbers that were rolled back',
    caughtBy: 'stalls',
    breaks: (store) => ({
      transaction: (work, options) =>
        store.transaction(work, options).catch((error: unknown) => {
          rolledBack.count += 1
          throw error
        }),
      readAll: (options) =>
        readOf(async () => {
          if (rolledBack.count > 0) await new Promise((resolve) => setTimeout(resolve, 3_000))
          return store.readAll(options).toArray()
        }),
    }),
  },

  {
    name: 'finds every log sound',
    caughtBy: 'integrity',
    breaks: (store) => ({
      verify: async (options) => ({ ...(await store.verify(options)), ok: true, problems: [] }),
    }),
    breaksReader: (reader) => ({
      verify: async (options) => ({ ...(await reader.verify(options)), ok: true, problems: [] }),
    }),
  },
  {
    name: 'verifies checksums only',
    caughtBy: 'integrity',
    breaks: (store) => ({
      verify: async (options) => {
        const report = await store.verify(options)
        const problems = report.problems.filter(({ kind }) => kind === 'checksum')
        return { ...report, ok: problems.length === 0, problems }
      },
    }),
  },
  {
    name: 'verifies nothing of the range but all',
    caughtBy: 'integrity',
    breaks: (store) => ({ verify: ({ after: _, until: __, ...rest } = {}) => store.verify(rest) }),
  },
  {
    name: 'leaves the door of maintenance open to every transaction',
    caughtBy: 'integrity',
    breaks: (store) => ({ transaction: (work) => store.maintenance(work) }),
  },
  {
    name: 'averages the versions of events, not of streams',
    caughtBy: 'statistics',
    breaks: (store) => ({
      statistics: async () => {
        const found = await store.statistics()
        const streamTypes = found.streamTypes.map((one) => ({
          ...one,
          averageVersion: (one.maxVersion + 1) / 2,
        }))
        return { ...found, streamTypes }
      },
    }),
  },
  {
    name: 'counts characters in statistics',
    caughtBy: 'statistics',
    breaks: (store) => ({
      statistics: async () => {
        let bytes = 0
        for (const { data } of await store.readAll().toArray()) bytes += JSON.stringify(data).length
        return { ...(await store.statistics()), bytes }
      },
    }),
  },
  {
    name: 'says that pending migrations are applied',
    caughtBy: 'migrations',
    breaks: (store) => ({
      migrations: async () =>
        (await store.migrations()).map((one) => ({
          ...one,
          state: 'applied' as const,
          appliedAt: one.appliedAt ?? new Date(0),
        })),
    }),
  },
  {
    name: 'migrates only once',
    caughtBy: 'migrations',
    breaks: (store) => ({
      migrate: async (options) => {
        if ((await store.migrations()).every(({ state }) => state === 'applied'))
          throw new Error('sabotage: there already')
        await store.migrate(options)
      },
    }),
  },
  {
    name: 'migrates a database that is newer',
    caughtBy: 'migrations',
    breaks: (store) => ({ migrate: (options) => store.migrate(options).catch(() => undefined) }),
  },
  { name: 'does not close', caughtBy: 'lifecycle', breaks: () => ({ close: async () => undefined }) },
  {
    name: 'reads on after it was closed',
    caughtBy: 'lifecycle',
    breaks: (store) => ({ statistics: () => store.statistics().catch(() => emptyStatistics) }),
  },
  {
    name: 'does not wait for a transaction when it closes',
    caughtBy: 'lifecycle',
    breaks: (store) => ({
      close: async () => {
        store.close().catch(() => undefined)
      },
    }),
  },
]

const lateCommits = new Set<string>()
const rolledBack = { count: 0 }
const emptyStatistics = { events: 0, streams: 0, lastPosition: 0, eventTypes: [], streamTypes: [], bytes: 0 }
