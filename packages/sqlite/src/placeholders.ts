/** A statement as better-sqlite3 takes it. */
export interface Positional {
  readonly text: string
  /** The index of each parameter of the text among those given; undefined when they stand in their order, each once. */
  readonly order: readonly number[] | undefined
}

// better-sqlite3 binds arrays to nameless parameters only, and takes `?1` and `$1` for names. Strings, quoted names and
// comments are passed over.
const pieces = /'[^']*'|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\d+)/g

/** Turns `$1`, `$2` … into `?`. */
export function positional(statement: string): Positional {
  const order: number[] = []
  const text = statement.replace(pieces, (piece, number: string | undefined) => {
    if (number === undefined) return piece
    order.push(Number(number) - 1)
    return '?'
  })
  return { text, order: order.every((given, index) => given === index) ? undefined : order }
}
