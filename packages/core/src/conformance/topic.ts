import type { CaseContext } from './context.js'

export type Case = (context: CaseContext) => Promise<void>

/** Cases that belong together. The id of a case is `topic/slug`. */
export interface Topic {
  readonly name: string
  readonly cases: Readonly<Record<string, Case>>
}

export function topic(name: string, cases: Readonly<Record<string, Case>>): Topic {
  return { name, cases }
}
