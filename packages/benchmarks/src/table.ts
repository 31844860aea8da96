import { isMet } from './figure.ts'
import type { Figure } from './figure.ts'

const heads = ['engine', 'benchmark', 'of', 'measure', 'median', 'spread', 'target', 'met'].concat([
  'ours/s',
  'p50',
  'p99 ms',
  'bare/s',
  'p50',
  'p99 ms',
])

export function tableOf(figures: readonly Figure[]): string {
  const rows = [heads, ...figures.map(rowOf)]
  const widths = heads.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, column) => (column < 4 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column < 4 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(heads), rule, ...rows.slice(1).map(line)].join('\n')
}

export function rowOf(figure: Figure): string[] {
  const { value, target, ours, bare } = figure
  const met = isMet(figure)
  const side = (of: Figure['ours']) =>
    of === undefined
      ? ['', '', '']
      : [shortened(of.perSecond), shortened(of.latencies.p50), shortened(of.latencies.p99)]
  return [
    figure.engine,
    figure.benchmark,
    figure.label,
    figure.unit,
    value.median.toFixed(2),
    `${value.min.toFixed(2)}–${value.max.toFixed(2)}`,
    target === undefined ? '' : 'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`,
    met === undefined ? '' : met ? 'yes' : 'NO',
    ...side(ours),
    ...side(bare),
  ]
}

function shortened(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
