// The tests in which something is killed, for a minute each instead of seconds, and the cases that race, again and again:
//   pnpm torture [--rounds=5] [--chaos-ms=60000] [name of a package…]
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '5' }, 'chaos-ms': { type: 'string' } },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 0) throw new RangeError('--rounds is a number from 0 on')

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const projects = positionals.flatMap((name) => ['--project', name])
const results = []

function run(title, args) {
  console.log(`\n== ${title}`)
  const begun = performance.now()
  const { status } = spawnSync(process.execPath, [vitest, 'run', ...projects, ...args], {
    stdio: 'inherit',
    env: {
      ...process.env,
      VARVE_TORTURE: '1',
      ...(values['chaos-ms'] !== undefined && { VARVE_CHAOS_MS: values['chaos-ms'] }),
    },
  })
  results.push({ what: title, passed: status === 0, seconds: Math.round((performance.now() - begun) / 1000) })
}

run('processes, backends and servers that die', ['chaos', 'kill', 'outages', 'storms', 'turn', 'stopped'])
run('webhooks, with as much to do as there may be', ['packages/webhooks', '-t', '19:|20:|30:'])
for (let round = 1; round <= rounds; round++) {
  run(`races, skips, outages and random histories, round ${round} of ${rounds}`, [
    'conformance',
    '-t',
    'races|skips|stalls|outages|properties|conflicts|read-models|parked|versions',
  ])
}
console.table(results)
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1
