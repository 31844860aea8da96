import { InvalidArgumentError, LeaseLostError, sleep } from '@varve/core'
import type { Projection } from '@varve/core'
import type { SqlSession } from '../driver.js'
import type { Checkpoint } from './checkpoint.js'
import type { ProjectionKey } from './key.js'
import { readLogId } from './log-identity.js'
import { Fenced, HandlerFailure } from './piece.js'
import { projectionTransaction, tableOf } from './projection-tx.js'
import type { RunContext } from './run-context.js'

/** A newer version is in charge: this one is over. */
export class Superseded extends Error {}

/**
 * Finds the checkpoint, makes the rows of a version that has none, and stamps the lease's epoch into it, from where on
 * nobody with an older one commits. Undefined when it was stopped before.
 *
 * @throws LeaseLostError, Superseded
 */
export async function prepare<Client>(
  run: RunContext<Client>,
  projection: Projection<Client>,
  key: ProjectionKey,
  epoch: number,
  signal: AbortSignal,
): Promise<Checkpoint | undefined> {
  const { checkpoints, query, driver } = run
  for (; !signal.aborted; await sleep(20, signal).catch(() => undefined)) {
    const rows = await checkpoints.named(query, key.tenantId, key.name)
    if (rows.some((row) => row.version > key.version && row.inCharge)) throw new Superseded()
    const mine = rows.filter((row) => row.version === key.version)
    const [first] = mine
    if (first !== undefined && first.shards !== projection.shards) {
      throw new InvalidArgumentError(
        'projection.shards',
        `'${key.name}' v${key.version} was begun with ${first.shards}, and cannot go on with ${projection.shards}; raise its version`,
      )
    }
    if (first !== undefined) {
      if (!(await driver.transaction((session) => checkpoints.stamp(session, key, epoch)))) {
        throw new LeaseLostError(`Another process has taken projection '${key.name}' over.`)
      }
      const row = mine.find(({ shard }) => shard === key.shard)
      return row === undefined ? undefined : { ...row, epoch }
    }
    // the rows are made by the one who has the first shard
    if (key.shard === 0) await begin(run, projection, key)
  }
  return undefined
}

async function begin<Client>(
  run: RunContext<Client>,
  projection: Projection<Client>,
  key: ProjectionKey,
): Promise<void> {
  const { checkpoints, query, dialect, driver } = run
  const logId = await readLogId(query, dialect)
  const { high } = await dialect.settled.look()
  await driver.transaction((session) => checkpoints.insert(session, key, projection.shards, logId, high))
}

/** Sets the model up, or empties it, for all shards at once. @throws Fenced, HandlerFailure, or what the database says. */
export async function runStep<Client>(
  run: RunContext<Client>,
  projection: Projection<Client>,
  row: Checkpoint,
): Promise<void> {
  const logId = await readLogId(run.query, run.dialect)
  await run.driver.transaction(async (session) => {
    try {
      if (row.pendingStep === 'set-up') await projection.setUp?.(projectionTransaction(projection, session))
      else await empty(projection, session)
    } catch (error) {
      throw new HandlerFailure(error, undefined)
    }
    if (row.pendingStep === 'reset') {
      await run.parked.discard(session, { tenantIds: [row.tenantId], name: row.name, version: row.version })
    }
    if (!(await run.checkpoints.stepDone(session, row, logId))) throw new Fenced()
  })
}

async function empty<Client>(projection: Projection<Client>, session: SqlSession<Client>): Promise<void> {
  const { name, version, tables, reset } = projection
  if (reset !== undefined) {
    await reset(projectionTransaction(projection, session))
    return
  }
  if (tables.length === 0) {
    throw new InvalidArgumentError(
      'projection.reset',
      `'${name}' has neither tables nor a reset to be emptied by`,
    )
  }
  for (const table of tables) await session.script(`delete from ${tableOf(table, version)}`)
}
