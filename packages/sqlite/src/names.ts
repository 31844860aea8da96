/** Makes names of tables, indexes, triggers and views as statements write them. The prefix needs no escaping. */
export class Names {
  readonly prefix: string

  constructor(prefix: string) {
    this.prefix = prefix
  }

  /** Quoted as an identifier. */
  quoted(name: string): string {
    return `"${this.prefix}${name}"`
  }

  /** As a string of SQL. */
  literal(name: string): string {
    return `'${this.prefix}${name}'`
  }
}
