/** Makes names of tables, views, triggers and procedures as statements write them. The prefix needs no escaping. */
export class Names {
  readonly prefix: string

  constructor(prefix: string) {
    this.prefix = prefix
  }

  /** Quoted as an identifier. */
  quoted(name: string): string {
    return `\`${this.prefix}${name}\``
  }
}
