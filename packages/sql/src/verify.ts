import type { ResolvedVerify, VerifyReport } from '@varve/core'
import type { Dialect } from './dialect.js'
import type { SqlDriver } from './driver.js'
import { lastPosition } from './last-position.js'
import type { ReadAccess } from './read-access.js'
import { verifyEvents } from './verify-events.js'
import { Findings } from './verify-findings.js'
import type { VerifyScope } from './verify-scope.js'
import { countStreams, structureChecks } from './verify-structure.js'

export interface VerifyContext {
  readonly driver: SqlDriver
  readonly dialect: Dialect
  readonly lifecycle: { readonly access: ReadAccess }
}

/**
 * Re-reads the events of a range, of one tenant or (`undefined`) of all, and recomputes their checksums; then has the
 * database compare versions, ids and heads, each in one statement, so that appends meanwhile raise no false alarm.
 * What the signal or `onProgress` throw comes out unchanged.
 */
export async function verify(
  context: VerifyContext,
  tenantId: string | undefined,
  options: ResolvedVerify,
): Promise<VerifyReport> {
  const { onProgress, signal } = options
  let thrown: { readonly error: unknown } | undefined
  const callers = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      thrown = { error }
      throw error
    }
  }
  const steps: Steps = {
    proceed: () => callers(() => signal?.throwIfAborted()),
    progress: (events, position) => callers(() => onProgress?.({ events, position })),
  }
  try {
    return await context.lifecycle.access.whole((access) => run(context, access, tenantId, options, steps))
  } catch (error) {
    throw thrown === undefined ? error : thrown.error
  }
}

/** What the caller is asked and told on the way; either may throw. */
interface Steps {
  readonly proceed: () => void
  readonly progress: (events: number, position: number) => void
}

async function run(
  { driver, dialect }: VerifyContext,
  access: ReadAccess,
  tenantId: string | undefined,
  { after, until }: ResolvedVerify,
  { proceed, progress }: Steps,
): Promise<VerifyReport> {
  proceed()
  const high = await lastPosition(dialect, access, tenantId)
  const whole = after === 0 && until >= high
  const scope: VerifyScope = { tenantId, after, until: Math.min(until, high), whole }
  const findings = new Findings()
  const onPage = (read: number, position: number): void => {
    progress(read, position)
    proceed()
  }
  const events = await verifyEvents(dialect, access, scope, onPage, findings)
  for (const { text, params, problem } of structureChecks(dialect, scope)) {
    proceed()
    const check = () => dialect.patiently(driver, (session) => session.query(text, params, problem))
    for (const found of await access.run(check)) findings.add(found)
  }
  proceed()
  const streams = await access.run(() => countStreams(driver, dialect, scope))
  const problems = findings.list()
  return { ok: problems.length === 0, events, streams, problems }
}
