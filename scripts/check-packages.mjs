// Packs every public package as it would be published, and has publint and "are the types wrong" look at the tarball.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const windows = process.platform === 'win32'

// entries that cannot be loaded by a synchronous require, each with its reason
const esmOnly = {
  '@varve/core': { './conformance': 'it imports vitest, which is ESM only' },
}

function passes(program, args, cwd = root) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8', shell: windows })
  if (status !== 0) console.error(`${program} ${args.join(' ')}\n${stdout}${stderr}`)
  return status === 0
}

function typesAreRight(tarball, name) {
  const attw = (...args) => passes('pnpm', ['exec', 'attw', tarball, '--no-emoji', ...args])
  const exempt = Object.keys(esmOnly[name] ?? {})
  // node16: "exports" with subpaths is not for the resolution of Node 10
  const rest = exempt.length > 0 ? ['--exclude-entrypoints', ...exempt] : []
  const right = attw('--profile', 'node16', ...rest)
  return exempt.length === 0 ? right : attw('--profile', 'esm-only', '--entrypoints', ...exempt) && right
}

function check(folder, name, packed) {
  if (!passes('pnpm', ['pack', '--pack-destination', packed], folder)) return false
  const tarball = join(
    packed,
    readdirSync(packed).find((file) => file.endsWith('.tgz')),
  )
  const linted = passes('pnpm', ['exec', 'publint', 'run', tarball, '--strict'])
  return typesAreRight(tarball, name) && linted
}

let failed = 0
for (const entry of readdirSync(join(root, 'packages'))) {
  const folder = join(root, 'packages', entry)
  const manifest = join(folder, 'package.json')
  if (!existsSync(manifest)) continue
  const { name, private: isPrivate } = JSON.parse(readFileSync(manifest, 'utf8'))
  if (isPrivate) continue
  const packed = mkdtempSync(join(tmpdir(), 'varve-pack-'))
  const ok = check(folder, name, packed)
  rmSync(packed, { recursive: true, force: true })
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}`)
  if (!ok) failed += 1
}
process.exitCode = failed === 0 ? 0 : 1
