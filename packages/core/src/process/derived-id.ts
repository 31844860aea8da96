import { v5 } from 'uuid'

const NAMESPACE = 'c1b34a3a-6c0c-4b8e-8a0c-9d2f6f6f1c55'

/** The id of something that a process asks for or is told: the same each time, should it come to that again. */
export function derivedId(...from: readonly string[]): string {
  return v5(JSON.stringify(from), NAMESPACE)
}
