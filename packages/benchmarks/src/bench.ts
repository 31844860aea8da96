import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArguments } from './arguments.ts'
import { benchmarks } from './cases/index.ts'
import { isMet } from './figure.ts'
import type { Figure } from './figure.ts'
import { describeMachine } from './machine.ts'
import { Servers } from './servers.ts'
import { rowOf, tableOf } from './table.ts'

const { names, engine, out, ...settings } = parseArguments(process.argv.slice(2))
const chosen = benchmarks.filter(
  (benchmark) =>
    (engine === undefined || benchmark.engine === engine) &&
    (names.length === 0 || names.includes(benchmark.name)),
)
if (chosen.length === 0) {
  const known = benchmarks.map((benchmark) => `${benchmark.name} (${benchmark.engine})`)
  throw new RangeError(`no such benchmark; there are: ${known.join(', ')}`)
}

const machine = describeMachine()
const startedAt = new Date()
const figures: Figure[] = []
{
  await using servers = new Servers()
  const report = (figure: Figure) => {
    figures.push(figure)
    console.error(rowOf(figure).slice(0, 9).filter(Boolean).join('  '))
  }
  for (const benchmark of chosen) await benchmark.run({ ...settings, servers, report })
}

console.log(`\n${tableOf(figures)}\n`)
const missed = figures.filter((figure) => isMet(figure) === false).length
console.log(
  `${missed} of ${figures.length} figures miss their target; load before the start ${machine.load?.toFixed(2)}`,
)

const path =
  out ?? join(import.meta.dirname, '../results', `${startedAt.toISOString().replaceAll(':', '-')}.json`)
mkdirSync(dirname(path), { recursive: true })
writeFileSync(path, `${JSON.stringify({ startedAt, machine, ...settings, figures }, undefined, 2)}\n`)
console.log(path)
