import type { VerifyProblem } from '@varve/core'
import type { SqlRow, SqlValue } from './driver.js'
import { PROBLEMS_OF_A_KIND } from './verify-findings.js'

/** What is verified. */
export interface VerifyScope {
  /** `undefined`: all. */
  readonly tenantId: string | undefined
  /** A position, exclusive. */
  readonly after: number
  /** A position, inclusive. */
  readonly until: number
  /** Whether that is the whole log: heads can be compared with their streams. */
  readonly whole: boolean
}

/** One statement that gives a row for each problem. */
export interface StructureCheck {
  readonly text: string
  readonly params: readonly SqlValue[]
  readonly problem: (row: SqlRow) => VerifyProblem
}

/** One beyond those that are listed, to know that there are more. */
export const PROBLEM_ROWS = PROBLEMS_OF_A_KIND + 1

/** A problem names no tenant: over all of them, its text does. */
export function ofTenant(scope: Pick<VerifyScope, 'tenantId'>, tenantId: string, detail: string): string {
  return scope.tenantId === undefined ? `${detail} (tenant '${tenantId}')` : detail
}
