import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidArgumentError } from './errors.js'
import type { Adapter } from './open.js'

/**
 * Loads an adapter's package: as core sees it, then as the main module does, then as the working directory does, since
 * under pnpm core cannot see the packages of the application.
 *
 * @throws InvalidArgumentError with the command `install` when the package, or the driver that it needs, is not there.
 */
export async function loadAdapter(packageName: string, install: string): Promise<Adapter> {
  const module = await importFirst(packageName, install)
  if (module === undefined) {
    throw new InvalidArgumentError(
      'url',
      `needs the package ${packageName}, which is not installed: ${install}`,
    )
  }
  const adapter = adapterOf(module)
  if (adapter !== undefined) return adapter
  throw new InvalidArgumentError(
    'url',
    `the package ${packageName} exports no adapter; update it: ${install}`,
  )
}

async function importFirst(packageName: string, install: string): Promise<object | undefined> {
  const attempts = [
    () => packageName,
    ...applicationFiles().map((from) => () => pathToFileURL(createRequire(from).resolve(packageName)).href),
  ]
  for (const resolve of attempts) {
    try {
      return (await import(resolve())) as object
    } catch (error) {
      if (!isNotFound(error)) throw error
      if (error.message.includes(`'${packageName}'`)) continue
      throw new InvalidArgumentError(
        'url',
        `cannot load ${packageName} (${error.message}): ${install}`,
        error,
      )
    }
  }
  return undefined
}

/** Files from whose place to look; they need not exist. */
function applicationFiles(): string[] {
  const files = [join(process.cwd(), 'package.json')]
  const main = process.argv[1]
  if (main === undefined) return files
  try {
    // a link in node_modules/.bin stands elsewhere than what it leads to
    return [realpathSync(main), main, ...files]
  } catch {
    return [main, ...files]
  }
}

function isNotFound(error: unknown): error is Error {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND')
  )
}

function adapterOf(module: object): Adapter | undefined {
  // a CommonJS build loaded by import may have its exports under `default`
  for (const exported of [module, 'default' in module ? module.default : undefined]) {
    if (typeof exported !== 'object' || exported === null || !('adapter' in exported)) continue
    if (isAdapter(exported.adapter)) return exported.adapter
  }
  return undefined
}

export function isAdapter(value: unknown): value is Adapter {
  return (
    typeof value === 'object' &&
    value !== null &&
    'open' in value &&
    typeof value.open === 'function' &&
    'protocols' in value &&
    Array.isArray(value.protocols) &&
    'packageName' in value &&
    typeof value.packageName === 'string'
  )
}
