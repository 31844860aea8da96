import type { TestProject } from 'vitest/node'
import { startMariadb, startMysql } from './mysql.ts'
import { startPostgres } from './postgres.ts'
import type { ServerKind, TestServer } from './server.ts'
import './provided.ts'

const starters = {
  postgres: startPostgres,
  mysql: startMysql,
  mariadb: startMariadb,
} satisfies Record<ServerKind, () => Promise<TestServer>>

/** Starts the servers that `test.provide.testServers` of the vitest configuration lists, and tells the tests where they are. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { testServers } = project.getProvidedContext()
  const started = await Promise.allSettled(testServers.map((kind) => starters[kind]()))
  const running = started.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  const stopAll = async () => {
    await Promise.all(running.map((server) => server.stop()))
  }

  const failures = started.flatMap((outcome) =>
    outcome.status === 'rejected' ? [outcome.reason as Error] : [],
  )
  if (failures.length > 0) {
    await stopAll()
    throw new AggregateError(failures, failures.map(({ message }) => message).join('\n'))
  }
  for (const { kind, url, adminUrl } of running) project.provide(kind, { kind, url, adminUrl })
  return stopAll
}
