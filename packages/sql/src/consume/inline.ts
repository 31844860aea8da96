import type { AppendResult, Projection, RecordedEvent } from '@varve/core'
import { splitTypes } from '@varve/core'
import type { Dialect } from '../dialect.js'
import type { SqlDriver, SqlSession } from '../driver.js'
import { CallersError } from '../failure.js'
import { handlerOf } from './piece.js'
import { projectionTransaction, tableOf } from './projection-tx.js'

/** Runs the inline projections over what was just appended, in the same transaction. */
export function inlineStep<Client>(
  driver: Pick<SqlDriver, 'classify'>,
  projections: readonly Projection<Client>[],
): (session: SqlSession<Client>, results: readonly AppendResult[]) => Promise<void> {
  const wanted = projections.map((projection) => ({ projection, wants: typeFilter(projection.types) }))
  return async (session, results) => {
    const events = results.flatMap((result) => (result.duplicate ? [] : result.events))
    for (const { projection, wants } of wanted) {
      const own = events.filter(({ type }) => wants(type))
      if (own.length === 0) continue
      try {
        await apply(projection, own, session)
        await session.assertOpen?.()
      } catch (error) {
        const { kind } = driver.classify(error)
        // the append is repeated as a whole
        if (kind === 'conflict' || kind === 'lost' || kind === 'unreachable') throw error
        throw new CallersError(error)
      }
    }
  }
}

async function apply<Client>(
  projection: Projection<Client>,
  events: readonly RecordedEvent[],
  session: SqlSession<Client>,
): Promise<void> {
  const tx = projectionTransaction(projection, session)
  if (projection.batch !== undefined) await projection.batch(events, tx)
  else for (const event of events) await handlerOf(projection, event.type)?.(event, tx)
}

/** Makes the tables of the inline projections, and has readers see them; part of `migrate()`. */
export async function setUpInline<Client>(
  driver: SqlDriver<Client>,
  dialect: Dialect<Client>,
  projections: readonly Projection<Client>[],
): Promise<void> {
  for (const projection of projections) {
    if (projection.setUp === undefined) continue
    await driver.transaction(async (session) => {
      await projection.setUp?.(projectionTransaction(projection, session))
      for (const table of projection.tables) {
        await session.script(dialect.consume.showIn(table, tableOf(table, projection.version)))
      }
    })
  }
}

function typeFilter(types: readonly string[] | undefined): (type: string) => boolean {
  if (types === undefined) return () => true
  const { exact, prefixes } = splitTypes(types)
  const names = new Set(exact)
  return (type) => names.has(type) || prefixes.some((prefix) => type.startsWith(prefix))
}
