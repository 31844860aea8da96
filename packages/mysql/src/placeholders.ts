/** A statement as mysql2 takes it. */
export interface Positional {
  readonly text: string
  /** The index among those given of each parameter of the text. */
  readonly order: readonly number[]
}

// strings, quoted names and comments are passed over
const pieces =
  /'(?:[^'\\]|''|\\[\s\S])*'|"(?:[^"\\]|""|\\[\s\S])*"|`[^`]*`|--[^\n]*|\/\*[\s\S]*?\*\/|\$(\d+)/g

const MAX_KNOWN = 2_000
const known = new Map<string, Positional>()

/** Turns `$1`, `$2` … into `?`. */
export function positional(statement: string): Positional {
  let translated = known.get(statement)
  if (translated === undefined) {
    translated = translate(statement)
    if (known.size >= MAX_KNOWN) known.clear()
    known.set(statement, translated)
  }
  return translated
}

function translate(statement: string): Positional {
  const order: number[] = []
  const text = statement.replace(pieces, (piece, number: string | undefined) => {
    if (number === undefined) return piece
    order.push(Number(number) - 1)
    return '?'
  })
  return { text, order }
}
