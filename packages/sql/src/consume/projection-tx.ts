import { InvalidArgumentError } from '@varve/core'
import type { Projection, ProjectionTransaction } from '@varve/core'

/** The name of a projection's table in one of its versions. */
export function tableOf(table: string, version: number): string {
  return `${table}_v${version}`
}

export function projectionTransaction<Client>(
  projection: Projection<Client>,
  client: Client,
): ProjectionTransaction<Client> {
  const { name, version, tables } = projection
  return {
    client,
    name,
    version,
    table(table) {
      if (tables.includes(table)) return tableOf(table, version)
      const known = tables.length === 0 ? 'it has none' : `it has ${tables.join(', ')}`
      throw new InvalidArgumentError(
        'table',
        `'${table}' is not among the tables of projection '${name}'; ${known}`,
      )
    },
  }
}
