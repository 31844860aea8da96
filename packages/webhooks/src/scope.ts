import type { SqlValue } from '@varve/sql'

/** Whose endpoints are meant: one tenant's, or (`undefined`) all. */
export interface Scope {
  readonly tenantId: string | undefined
}

/** Collects the conditions of a statement, and their parameters. */
export class Conditions {
  readonly params: SqlValue[] = []
  readonly #parts: string[] = []

  /** Adds a parameter; gives its placeholder. */
  bind(value: SqlValue): string {
    this.params.push(value)
    return `$${this.params.length}`
  }

  add(condition: string): this {
    this.#parts.push(condition)
    return this
  }

  equal(column: string, value: SqlValue | undefined): this {
    return value === undefined ? this : this.add(`${column} = ${this.bind(value)}`)
  }

  get where(): string {
    return this.#parts.length === 0 ? '' : ` where ${this.#parts.join(' and ')}`
  }
}

export const EVERYBODY: Scope = { tenantId: undefined }
