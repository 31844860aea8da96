/** Takes a line of output. */
export type Write = (line: string) => void

export function heading(write: Write, title: string): void {
  write('')
  write(`== ${title}`)
}

type Cell = string | number

/** Columns with their headers; numbers, and texts that are amounts, stand to the right. */
export function table(write: Write, rows: readonly Readonly<Record<string, Cell>>[]): void {
  const [first] = rows
  if (first === undefined) {
    write('  (none)')
    return
  }
  const columns = Object.keys(first).map((name) => {
    const cells = rows.map((row) => String(row[name] ?? ''))
    const width = Math.max(name.length, ...cells.map((cell) => cell.length))
    const right = cells.every((cell) => /^(-?[\d,.]+%?)?$/.test(cell))
    return { name, cells, pad: (text: string) => (right ? text.padStart(width) : text.padEnd(width)) }
  })
  const line = (cell: (column: (typeof columns)[number]) => string) =>
    write(`  ${columns.map((column) => column.pad(cell(column))).join('  ')}`.trimEnd())
  line(({ name }) => name)
  rows.forEach((_, index) => line(({ cells }) => cells[index] ?? ''))
}
