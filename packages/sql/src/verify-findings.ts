import type { VerifyProblem } from '@varve/core'

/** Of each kind, so that a thousand of one do not hide the others. */
export const PROBLEMS_OF_A_KIND = 200

/** Gathers problems, of each kind so many and no more: memory stays flat whatever the log looks like. */
export class Findings {
  readonly #kinds = new Map<VerifyProblem['kind'], VerifyProblem[]>()
  readonly #more = new Set<VerifyProblem['kind']>()

  add(problem: VerifyProblem): void {
    const known = this.#kinds.get(problem.kind)
    if (known === undefined) this.#kinds.set(problem.kind, [problem])
    else if (known.length < PROBLEMS_OF_A_KIND) known.push(problem)
    else this.#more.add(problem.kind)
  }

  list(): VerifyProblem[] {
    return [...this.#kinds].flatMap(([kind, problems]) => {
      const last = problems.at(-1)
      if (last === undefined || !this.#more.has(kind)) return problems
      const detail = `${last.detail} (there are more of this kind: only the first ${PROBLEMS_OF_A_KIND} are listed)`
      return [...problems.slice(0, -1), { ...last, detail }]
    })
  }
}
