import { honest, LateLog, lateStore } from './late.js'
import type { Guard } from './late.js'
import type { Fault } from './wrap.js'

/** A store that gives positions before the commit, with this guard in place of the honest one. */
export const guardedBy = (name: string, guard: Partial<Guard>): Fault => ({
  name,
  caughtBy: 'skips',
  remembers: () => {
    const log = new LateLog()
    return (store, root) => lateStore(store, root, log, { ...honest, ...guard })
  },
})

const lowest = (positions: Iterable<number>): number => Math.min(Infinity, ...positions) - 1

export const skipFaults: Fault[] = [
  guardedBy('goes on from what it saw, without a guard', { settled: () => Infinity }),
  guardedBy('guards only against appends of its own tenant', {
    settled: (log, tenant) =>
      lowest(
        [...log.undecided.values()]
          .filter(({ tenantId }) => tenantId === tenant)
          .map(({ position }) => position),
      ),
  }),
  guardedBy('guards only reads without a filter', {
    covers: ({ types, streamIds, tags }) => !(types ?? streamIds ?? tags),
  }),
  guardedBy('guards only reads without a limit', { covers: ({ limit }) => limit === undefined }),
  guardedBy('guards only a reader that begins at the start', { covers: ({ after = 0 }) => after === 0 }),
  guardedBy('passes a gap after a while', { onTimeout: 'pass' }),
  guardedBy('ends early in silence', { onTimeout: 'end' }),
  guardedBy('does not say who is in the way', { namesBlocker: false }),
  guardedBy('gives the first event that it sees', { unguarded: ['first'] }),
  guardedBy('counts what it sees', { unguarded: ['count'] }),
  guardedBy('calls the last position settled', { unguarded: ['settledPosition'] }),
  guardedBy('waits for ever for what was rolled back', {
    settled: (log) =>
      lowest([...[...log.undecided.values()].map(({ position }) => position), ...log.rolledBack.values()]),
  }),
  {
    name: 'hands out the last event again',
    caughtBy: 'skips',
    breaks: (store) => ({
      readAll: (options = {}) =>
        store.readAll({ ...options, ...(options.after && { after: options.after - 1 }) }),
    }),
  },
]
