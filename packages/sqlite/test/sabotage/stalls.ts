import { readOf } from './wrap.js'
import type { Fault } from './wrap.js'

export const stallFaults: Fault[] = [
  { name: 'never settles', caughtBy: 'stalls', breaks: () => ({ settledPosition: async () => 0 }) },
  {
    name: 'settles only what a filter finds',
    caughtBy: 'stalls',
    breaks: (store) => ({
      settledPosition: async () => (await store.readAll({ types: ['never'] }).last())?.position ?? 0,
    }),
  },
  {
    name: 'waits for numbers that were rolled back',
    caughtBy: 'stalls',
    remembers: () => {
      let rolledBack = 0
      return (store) => ({
        transaction: (work, options) =>
          store.transaction(work, options).catch((error: unknown) => {
            rolledBack += 1
            throw error
          }),
        readAll: (options) =>
          readOf(async () => {
            if (rolledBack > 0) await new Promise((resolve) => setTimeout(resolve, 3_000))
            return store.readAll(options).toArray()
          }),
      })
    },
  },
]
