/** What kept a request from an answer, for the policy of retries. */
export type FailureKind = 'refused' | 'timeout' | 'dns' | 'tls' | 'connection' | 'unusable' | 'stopped'

export interface Failure {
  readonly kind: FailureKind
  /** For people and rows: made of codes only, as messages may repeat what is secret. */
  readonly text: string
}

const known: Readonly<Record<string, Failure>> = {
  ENOTFOUND: { kind: 'dns', text: 'the host name has no address (ENOTFOUND)' },
  EAI_AGAIN: { kind: 'dns', text: 'the host name could not be looked up (EAI_AGAIN)' },
  ECONNREFUSED: { kind: 'connection', text: 'the connection was refused (ECONNREFUSED)' },
  ECONNRESET: {
    kind: 'connection',
    text: 'the connection broke before the answer was complete (ECONNRESET)',
  },
  EPIPE: { kind: 'connection', text: 'the connection broke before the answer was complete (EPIPE)' },
  UND_ERR_SOCKET: {
    kind: 'connection',
    text: 'the connection broke before the answer was complete (UND_ERR_SOCKET)',
  },
  UND_ERR_CONNECT_TIMEOUT: { kind: 'timeout', text: 'no connection within the time allowed' },
  UND_ERR_HEADERS_OVERFLOW: { kind: 'connection', text: 'the headers of the answer are too large' },
}

const tls = /^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|EPROTO|HOSTNAME_MISMATCH)/

export function failureOf(error: unknown): Failure {
  const code = codeOf(error)
  if (code === 'VARVE_WEBHOOK_REFUSED') return { kind: 'refused', text: (error as Error).message }
  const found = known[code]
  if (found !== undefined) return found
  if (tls.test(code)) return { kind: 'tls', text: `TLS failed (${code})` }
  if (code === 'UND_ERR_INVALID_ARG' || code.startsWith('ERR_INVALID')) {
    return { kind: 'unusable', text: `the request cannot be made (${code})` }
  }
  return { kind: 'connection', text: `the request failed (${code})` }
}

function codeOf(error: unknown): string {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    if ('code' in at && typeof at.code === 'string') return at.code
    const [first] = at instanceof AggregateError ? (at.errors as unknown[]) : []
    if (first instanceof Error && 'code' in first && typeof first.code === 'string') return first.code
  }
  return error instanceof Error && /^\w{1,60}$/.test(error.name) ? error.name : 'unknown'
}
