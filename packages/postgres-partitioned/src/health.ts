import type { HealthReport } from '@varve/core'
import type { SqlDriver } from '@varve/sql'
import type { PartitionNames } from './names.js'

type Check = HealthReport['checks'][number]

const MANY = 100_000

/** Whether this month and the next have their partitions, and whether anything was caught by the DEFAULT one. */
export async function partitionHealth(
  driver: Pick<SqlDriver, 'query'>,
  { on }: PartitionNames,
  failure: () => string | undefined,
): Promise<Check[]> {
  const covered = (time: string): string =>
    `exists (select from ${on('attached_partitions')}() where starts_at <= ${time} and ends_at > ${time})`
  const [row] = await driver.query(
    `select (select count(*) from (select from ${on('events_default')} limit ${MANY + 1}) d), ` +
      `${covered('now()')}, ${covered(`now() + interval '31 days'`)}`,
  )
  const [caught, now, next] = (row ?? []) as (string | null)[]
  const count = Number(caught) > MANY ? `more than ${MANY}` : String(caught)
  const failed = failure()
  const problems = [
    caught !== '0' &&
      `${count} events lie in the DEFAULT partition: create_monthly_partition(date) of their month moves them out`,
    now !== 't' && 'this month has no partition: call store.partitions.ensure()',
    now === 't' && next !== 't' && 'next month has no partition: call store.partitions.ensure()',
    failed !== undefined && `the last maintenance failed: ${failed}`,
  ].filter((problem) => problem !== false)
  if (problems.length > 0) return [{ name: 'partitions', status: 'degraded', detail: problems.join('; ') }]
  return [
    {
      name: 'partitions',
      status: 'ok',
      detail: 'this month and the next have theirs, the DEFAULT one is empty',
    },
  ]
}
