import { isMet, workRatio } from './figure.ts'
import type { Figure } from './figure.ts'

const sides = ['p50 ms', 'p99 ms', 'cpu µs']
const heads = ['engine', 'benchmark', 'of', 'measure', 'median', 'spread', 'target', 'met', 'work']
  .concat(['ours/s', ...sides])
  .concat(['bare/s', ...sides])

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
  const side = (of: Figure['ours']) => {
    if (of === undefined) return ['', '', '', '']
    const { perSecond, latencies, cpu } = of
    const micros = `${shortened(cpu.client * 1000)} + ${shortened(cpu.server * 1000)}`
    return [shortened(perSecond), shortened(latencies.p50), shortened(latencies.p99), micros]
  }
  return [
    figure.engine,
    figure.benchmark,
    figure.label,
    figure.unit,
    value.median.toFixed(2),
    `${value.min.toFixed(2)}–${value.max.toFixed(2)}`,
    target === undefined
      ? ''
      : 'atLeast' in target
        ? `≥ ${rounded(target.atLeast)}`
        : `≤ ${rounded(target.atMost)}`,
    met === undefined ? '' : met ? 'yes' : 'NO',
    workRatio(figure)?.toFixed(2) ?? '',
    ...side(ours),
    ...side(bare),
  ]
}

function shortened(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}

function rounded(target: number): number {
  return Math.round(target * 100) / 100
}
