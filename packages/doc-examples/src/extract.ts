export interface Block {
  /** Number of its first line; 0 for the first line of the file. */
  readonly start: number
  readonly lines: readonly string[]
}

const opening = /^(?<margin>\s*(?:\* ?)?)```(?<language>\w+)\s*$/
const closing = /^\s*(?:\* ?)?```\s*$/

/** The blocks of a language in a page, or in the docstrings of a source file. */
export function blocksOf(text: string, language: string): Block[] {
  const blocks: Block[] = []
  let open: { start: number; margin: string; language: string; lines: string[] } | undefined
  for (const [number, line] of text.split(/\r?\n/).entries()) {
    if (open === undefined) {
      const begins = opening.exec(line)?.groups
      if (begins !== undefined) {
        open = {
          start: number + 1,
          margin: begins['margin'] ?? '',
          language: begins['language'] ?? '',
          lines: [],
        }
      }
    } else if (closing.test(line)) {
      if (open.language === language) blocks.push({ start: open.start, lines: open.lines })
      open = undefined
    } else {
      // an empty line of a docstring lacks the margin's last blank
      open.lines.push(line.startsWith(open.margin) ? line.slice(open.margin.length) : '')
    }
  }
  if (open !== undefined) throw new Error(`the example at line ${open.start} does not end`)
  return blocks
}

/**
 * The texts of modules, whose lines have the numbers they have in the document. A block that imports something begins a
 * module; one that does not goes on where the block before it ended.
 */
export function modulesOf(blocks: readonly Block[]): string[] {
  const modules: string[][] = []
  for (const { start, lines } of blocks) {
    let module = modules.at(-1)
    if (module === undefined || lines.some((line) => /^import\s/.test(line))) {
      module = []
      modules.push(module)
    }
    while (module.length < start) module.push('')
    module.push(...lines)
  }
  return modules.map((lines) => `${lines.join('\n')}\n`)
}
