import type { Projection } from '@varve/core'
import type { SqlSession } from '../driver.js'
import type { Checkpoint } from './checkpoint.js'
import { VERSION_KEY } from './key.js'
import { Fenced } from './piece.js'
import { projectionTransaction, tableOf } from './projection-tx.js'
import type { RunContext } from './run-context.js'

/**
 * Puts a version that has come to the end of the log in charge, if all its shards have got as far as the version before it:
 * readers are switched, and the old version is gone, in one transaction. Gives whether it is in charge, and what it
 * replaced.
 *
 * @throws Fenced when the checkpoint is not as it was seen.
 */
export async function tryTakeOver<Client>(
  run: RunContext<Client>,
  projection: Projection<Client>,
  seen: Checkpoint,
): Promise<{ done: boolean; replaced: readonly number[] }> {
  let replaced: number[] = []
  const done = await run.driver.transaction(
    async (session) => {
      const rows = await run.checkpoints.named(
        (...query) => session.query(...query),
        seen.tenantId,
        seen.name,
        true,
      )
      const mine = rows.filter((row) => row.version === seen.version)
      const older = rows.filter((row) => row.version < seen.version)
      const me = mine.find((row) => row.shard === seen.shard)
      if (me === undefined || me.epoch !== seen.epoch || me.status !== 'rebuilding') throw new Fenced()
      if (!isReady(mine, older)) return false
      if (!me.inCharge) await switchReaders(run, projection, session)
      await removeVersions(run, session, older)
      await run.checkpoints.finish(session, seen)
      replaced = [...new Set(older.map((row) => row.version))]
      return true
    },
    { settings: run.dialect.consume.pieceSettings(run.options.leaseMs) },
  )
  return { done, replaced }
}

/** No shard may lie behind where the build began, or behind what readers have seen already. */
function isReady(mine: readonly Checkpoint[], older: readonly Checkpoint[]): boolean {
  const floor = Math.max(0, ...older.map((row) => row.lastPosition))
  return mine.every(
    (row) =>
      row.pendingStep === undefined &&
      (row.status === 'rebuilding' || row.status === 'running') &&
      row.lastPosition >= Math.max(floor, row.targetPosition),
  )
}

async function switchReaders<Client>(
  { dialect }: RunContext<Client>,
  projection: Projection<Client>,
  session: SqlSession<Client>,
): Promise<void> {
  for (const table of projection.tables) {
    await session.script(dialect.consume.showIn(table, tableOf(table, projection.version)))
  }
  await projection.takeOver?.(projectionTransaction(projection, session))
}

async function removeVersions<Client>(
  { dialect }: RunContext<Client>,
  session: SqlSession<Client>,
  older: readonly Checkpoint[],
): Promise<void> {
  const versions = new Map(older.map((row) => [row.version, row]))
  for (const { tenantId, name, version } of versions.values()) {
    for (const table of ['projection_checkpoints', 'parked_events', 'projection_leases']) {
      await session.execute(`delete from ${dialect.table(table)} where ${VERSION_KEY}`, [
        tenantId,
        name,
        version,
      ])
    }
  }
}

/** The tables of versions that were replaced. Nobody reads them any more; one that cannot go now is left behind. */
export async function dropTables<Client>(
  { driver }: RunContext<Client>,
  projection: Projection<Client>,
  versions: readonly number[],
): Promise<void> {
  for (const version of versions) {
    for (const table of projection.tables) {
      const text = `drop table if exists ${tableOf(table, version)}`
      await driver.transaction((session) => session.script(text))
    }
  }
}
