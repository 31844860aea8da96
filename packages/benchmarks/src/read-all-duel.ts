import type { EventStore } from '@varve/core'
import type { Context, Engine } from './benchmark.ts'
import { runOnce } from './callers.ts'
import { duel } from './duel.ts'

/** Rows of a page of the bare driver's. */
export const PAGE = 1_000

export interface ReadAllDuel {
  readonly engine: Engine
  readonly store: Pick<EventStore, 'readAll'>
  readonly events: number
  readonly target: number
  /** Rows behind a position, as objects, their JSON parsed. */
  readonly page: (after: number | string) => Promise<readonly { readonly position: number | string }[]>
}

/** The whole log, against pages of plain objects that the driver makes of the same rows. */
export function compareReadAll(
  context: Context,
  { engine, store, events, target, page }: ReadAllDuel,
): Promise<void> {
  return duel(context, {
    benchmark: 'readAll',
    engine,
    label: `${events / 1000}k events`,
    target: { atLeast: target },
    ours: () =>
      runOnce(events, async () => {
        let read = 0
        for await (const event of store.readAll()) read += event.position > 0 ? 1 : 0
        if (read !== events) throw new Error(`read ${read} events of ${events}`)
      }),
    bare: () =>
      runOnce(events, async () => {
        let read = 0
        for (let after: number | string = 0; ;) {
          const rows = await page(after)
          read += rows.length
          const last = rows.at(-1)
          if (last === undefined) break
          after = last.position
        }
        if (read !== events) throw new Error(`read ${read} rows of ${events}`)
      }),
  })
}
