import { buildConnector } from 'undici'
import type { SsrfGuard } from './guard.js'

export interface ConnectorOptions {
  readonly guard: SsrfGuard
  readonly timeoutMs: number
  /** Certificate authorities beside the system's own, in PEM. */
  readonly ca?: string | readonly string[] | undefined
}

/** Connects only to addresses that the guard has let through: names are checked as they are resolved, addresses before. */
export function guardedConnector({ guard, timeoutMs, ca }: ConnectorOptions): buildConnector.connector {
  const settings = {
    timeout: timeoutMs,
    // said here, so that no variable of the environment turns it off
    rejectUnauthorized: true,
    ...(ca !== undefined && { ca: typeof ca === 'string' ? ca : [...ca] }),
  }
  // node asks for several addresses at once, and tries the next one when one does not answer
  const connect = buildConnector({
    ...settings,
    lookup: guard.lookup,
    autoSelectFamily: true,
  })
  return (options, callback) => {
    try {
      guard.refuse(options.hostname)
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null)
      return
    }
    connect(options, callback)
  }
}
