import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { InvalidArgumentError } from './errors.js'
import type { Adapter } from './open.js'

/**
 * Loads an adapter's package: as core sees it, then as the main module does, then as the working directory does, since
 * under pnpm core cannot see the packages of the application.
 */
export async function loadAdapter(packageName: string, install: string): Promise<Adapter> {
  const module = (await importFromCore(packageName)) ?? (await importFromApplication(packageName))
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

async function importFromCore(packageName: string): Promise<object | undefined> {
  try {
    return (await import(packageName)) as object
  } catch (error) {
    if (isMissing(error, packageName)) return undefined
    throw error
  }
}

async function importFromApplication(packageName: string): Promise<object | undefined> {
  for (const from of applicationFiles()) {
    let file: string
    try {
      file = createRequire(from).resolve(packageName)
    } catch (error) {
      if (isMissing(error, packageName)) continue
      throw error
    }
    return (await import(pathToFileURL(file).href)) as object
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

/** Whether the package itself is not there; something that it needs in turn is another matter, and the error says it. */
function isMissing(error: unknown, packageName: string): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ERR_MODULE_NOT_FOUND' || error.code === 'MODULE_NOT_FOUND') &&
    error.message.includes(`'${packageName}'`)
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
