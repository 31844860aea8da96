import pg from 'pg'

export interface Recorded {
  readonly text: string
  readonly values: readonly (string | number | null)[]
}

/** A pool of the caller's own that writes down the statements that go through it. */
export function recordingPool(connectionString: string): { pool: pg.Pool; recorded: Recorded[] } {
  const recorded: Recorded[] = []
  const pool = new pg.Pool({ connectionString, max: 4 })
  pool.on('error', () => undefined)
  pool.on('connect', (client) => {
    const query = client.query.bind(client) as (...args: unknown[]) => unknown
    client.query = ((...args: unknown[]) => {
      const [asked] = args as [{ text?: string; values?: unknown[] } | string]
      if (typeof asked === 'object' && asked.text !== undefined) {
        recorded.push({ text: asked.text, values: (asked.values ?? []) as (string | number)[] })
      }
      return query(...args)
    }) as typeof client.query
  })
  return { pool, recorded }
}

interface Plan {
  readonly 'Relation Name'?: string
  readonly Plans?: readonly Plan[]
}

/**
 * The tables that a statement touches once it is prepared and has been run so often that the server has settled for a plan:
 * for each of the parameters or for all.
 */
export async function tablesTouched(pool: pg.Pool, { text, values }: Recorded): Promise<string[]> {
  const client = await pool.connect()
  try {
    const literals = values
      .map((value) => (value === null ? 'null' : pg.escapeLiteral(String(value))))
      .join(', ')
    const execute = literals === '' ? 'execute measured' : `execute measured(${literals})`
    await client.query(`prepare measured as ${text}`)
    for (let times = 0; times < 8; times++) await client.query(execute)
    const { rows } = await client.query<Record<string, [{ Plan: Plan }]>>(`explain (format json) ${execute}`)
    await client.query('deallocate measured')
    const found = new Set<string>()
    const visit = (plan: Plan): void => {
      if (plan['Relation Name'] !== undefined) found.add(plan['Relation Name'])
      plan.Plans?.forEach(visit)
    }
    const plan = rows[0]?.['QUERY PLAN']?.[0].Plan
    if (plan !== undefined) visit(plan)
    return [...found].toSorted()
  } finally {
    client.release()
  }
}
