/** Tells of an error that nobody would hear of otherwise, as Node tells of such: on the standard error stream, unless the program listens. */
export function warn(code: string, what: string, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error)
  process.emitWarning(`${what}: ${reason}`, { type: 'VarveWarning', code })
}
