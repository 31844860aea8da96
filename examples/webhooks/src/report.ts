import type { EndpointStats, WebhookJob, WebhookDelivery } from '@varve/webhooks'

type Line = (text: string) => void

/** Rows under headings, columns as wide as their widest cell. */
export function printTable(
  write: Line,
  headings: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): void {
  const cells = [headings, ...rows.map((row) => row.map((cell) => String(cell ?? '')))]
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  for (const row of cells)
    write(
      `  ${row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}`,
    )
}

export interface Delivered {
  readonly job: WebhookJob
  readonly deliveries: readonly WebhookDelivery[]
  readonly path: string
}

export function printDeliveries(write: Line, delivered: readonly Delivered[]): void {
  write('\nJobs that took more than one attempt, and what came of each')
  const rows = delivered
    .filter(({ deliveries }) => deliveries.length > 1)
    .map(({ job, deliveries, path }) => [
      path,
      job.eventType,
      job.generation,
      job.status,
      deliveries
        .map(
          ({ statusCode, error }) =>
            statusCode ?? (error?.startsWith('no complete') === true ? 'timeout' : 'lost'),
        )
        .join(', '),
    ])
  printTable(write, ['endpoint', 'event', 'generation', 'job', 'attempts'], rows)
}

export function printStats(write: Line, stats: readonly EndpointStats[]): void {
  write('\nEndpoints')
  const rows = stats.map(({ url, jobs, deliveries, recent }) => [
    new URL(url).pathname,
    jobs.total,
    jobs.completed,
    jobs.failed,
    deliveries.total,
    deliveries.failed,
    `${recent.averageMs} ms`,
    `${recent.p95Ms} ms`,
  ])
  printTable(write, ['endpoint', 'jobs', 'completed', 'failed', 'attempts', 'failed', 'average', 'p95'], rows)
}
