import { InvalidArgumentError } from '@varve/core'
import type { Projection, ProjectionTransaction } from '@varve/core'
import type { SqlSession } from '../driver.js'
import { SESSION } from '../session-key.js'

/** The name of a projection's table in one of its versions. */
export function tableOf(table: string, version: number): string {
  return `${table}_v${version}`
}

export function projectionTransaction<Client>(
  projection: Projection<Client>,
  session: SqlSession<Client>,
): ProjectionTransaction<Client> {
  const { name, version, tables } = projection
  const tx = {
    client: session.client,
    // for statements of our own
    [SESSION]: session,
    name,
    version,
    table(table: string) {
      if (tables.includes(table)) return tableOf(table, version)
      const known = tables.length === 0 ? 'it has none' : `it has ${tables.join(', ')}`
      throw new InvalidArgumentError(
        'table',
        `'${table}' is not among the tables of projection '${name}'; ${known}`,
      )
    },
  }
  return tx
}
