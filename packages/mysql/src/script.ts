// what may hold a delimiter without ending the statement
const quoted =
  /'(?:[^'\\]|''|\\[\s\S])*'|"(?:[^"\\]|""|\\[\s\S])*"|`[^`]*`|\/\*[\s\S]*?\*\/|(?:--\s|#)[^\n]*/y
const delimiterCommand = /[ \t]*delimiter[ \t]+(\S+)[^\n]*\n?/iy

/** Takes a script apart as the command line clients do: at `;`, or at what a line `delimiter //` names instead. */
export function statementsOf(script: string): string[] {
  const statements: string[] = []
  let delimiter = ';'
  let statement = ''
  let at = 0
  const end = (): void => {
    if (withoutComments(statement) !== '') statements.push(statement.trim())
    statement = ''
  }
  while (at < script.length) {
    const command =
      withoutComments(statement) === '' && startsLine(script, at) ? match(delimiterCommand, script, at) : null
    const piece = command === null ? match(quoted, script, at) : null
    if (command !== null) {
      delimiter = command[1] ?? ';'
      at += command[0].length
    } else if (piece !== null) {
      statement += piece[0]
      at += piece[0].length
    } else if (script.startsWith(delimiter, at)) {
      at += delimiter.length
      end()
    } else {
      statement += script.charAt(at)
      at += 1
    }
  }
  end()
  return statements
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

function startsLine(script: string, at: number): boolean {
  return at === 0 || script.charAt(at - 1) === '\n'
}

function withoutComments(statement: string): string {
  // comments with a `!` are statements to the server
  return statement.replace(/\/\*(?!M?!)[\s\S]*?\*\/|(?:--\s|#)[^\n]*/g, '').trim()
}
