import type { EventStore, NewEvent } from '@varve/core'
import { inTransactions, readOf, replaced } from './wrap.js'
import type { Fault } from './wrap.js'

export const transactionFaults: Fault[] = [
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
    caughtBy: 'conflicts',
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
]
