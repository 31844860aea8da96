import { MigrationError } from '@varve/core'
import type { SqlSession } from '@varve/sql'

export type Family = 'mysql' | 'mariadb'

/** Which server it is. @throws MigrationError for one that is too old. */
export async function familyOf(session: SqlSession): Promise<Family> {
  const [row] = await session.query('select version()')
  const version = String(row?.[0])
  const mariadb = /mariadb/i.test(version)
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  const [leastMajor, leastMinor] = mariadb ? [10, 11] : [8, 4]
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor))
    return mariadb ? 'mariadb' : 'mysql'
  throw new MigrationError(
    `The server is ${mariadb ? 'MariaDB' : 'MySQL'} ${version}; varve needs ${mariadb ? 'MariaDB 10.11' : 'MySQL 8.4'} or newer. ` +
      'Nothing was changed.',
  )
}
