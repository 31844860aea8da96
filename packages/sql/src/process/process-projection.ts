import {
  advance,
  COMMAND_FAILED,
  correlationOf,
  defineProjection,
  InvalidArgumentError,
  TIMEOUT_FIRED,
} from '@varve/core'
import type { AnyProcess, Projection, ProjectionTransaction, RecordedEvent, TimeoutData } from '@varve/core'
import type { SqlSession } from '../driver.js'
import type { Query } from '../read-access.js'
import { SESSION } from '../session-key.js'
import type { ProcessKey, ProcessTables } from './process-tables.js'

/** Under which name a process's checkpoint and lease are kept. */
export function projectionOf(process: string): string {
  return `process.${process}`
}

/** A process as a projection: what it knows and what it asks for is committed together with the checkpoint. */
export function processProjection<Client>(
  process: AnyProcess,
  key: ProcessKey,
  tables: ProcessTables,
): Projection<Client> {
  const handle = async (event: RecordedEvent, tx: ProjectionTransaction<Client>): Promise<void> => {
    const correlationId = await correlationOf(process, event)
    if (correlationId === undefined) return
    const session = sessionOf(tx)
    const query: Query = (...statement) => session.query(...statement)
    if (event.type === TIMEOUT_FIRED) {
      // decided anew and differently, it cannot be stored a second time under its id: it is not left to fire
      const { name, id } = event.data as unknown as TimeoutData
      await tables.timeouts.fired(query, key, { correlationId, name, id })
    }
    const known = await tables.read(query, key, correlationId)
    const advanced = await advance(process, known, correlationId, event)
    if (advanced === undefined) return
    await tables.write(session, key, correlationId, event.position, { known: known !== undefined, advanced })
  }
  const types = [...process.types, TIMEOUT_FIRED, COMMAND_FAILED]
  return defineProjection<Client>({
    name: projectionOf(process.name),
    handles: Object.fromEntries(types.map((type) => [type, handle])),
    reset: (tx) => tables.clear(sessionOf(tx), key),
  })
}

function sessionOf<Client>(tx: ProjectionTransaction<Client>): SqlSession<Client> {
  const session = (tx as { readonly [SESSION]?: SqlSession<Client> })[SESSION]
  if (session === undefined) throw new InvalidArgumentError('tx', 'is no transaction of a projection')
  return session
}
