import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import Module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isInvalidArgumentError, openEventStore, type Adapter, type EventStore } from '../src/index.js'

function fakeAdapter(packageName: string, protocols: string[]) {
  const store = { tenantId: packageName } as EventStore
  const open = vi.fn<Adapter['open']>(() => store)
  return { name: packageName, packageName, protocols, open, store }
}

const postgres = () => fakeAdapter('@varve/postgres', ['postgres:', 'postgresql:'])
const partitioned = () => fakeAdapter('@varve/postgres-partitioned', ['postgres:', 'postgresql:'])
const mysql = () => fakeAdapter('@varve/mysql', ['mysql:', 'mariadb:'])
const sqlite = () => fakeAdapter('@varve/sqlite', ['sqlite:'])

async function refusal(opening: Promise<EventStore>): Promise<{ argument: string; message: string }> {
  const error: unknown = await opening.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isInvalidArgumentError(error))
    throw new Error(`expected an InvalidArgumentError, got ${String(error)}`)
  return { argument: error.argument, message: error.message }
}

describe('openEventStore with given adapters', () => {
  it.each([
    ['sqlite::memory:', '@varve/sqlite'],
    ['sqlite:./a b%20c#d.db', '@varve/sqlite'],
    ['postgres://u:p@h/db', '@varve/postgres'],
    ['postgresql://u:p@h1:1,h2:2/db?sslmode=require&a=%26b', '@varve/postgres'],
    ['POSTGRES:///db?host=/var/run', '@varve/postgres'],
    ['mysql://h/db', '@varve/mysql'],
    ['mariadb://h/db', '@varve/mysql'],
  ])('opens %s with %s, the URL unchanged', async (url, packageName) => {
    const adapters = [partitioned(), mysql(), sqlite(), postgres()]
    const store = await openEventStore(url, { adapters })
    expect(store.tenantId).toBe(packageName)
    expect(adapters.find((adapter) => adapter.packageName === packageName)?.open).toHaveBeenCalledWith(
      url,
      {},
    )
  })

  it('takes a URL object', async () => {
    const adapter = postgres()
    await openEventStore(new URL('postgres://h/db?schema=a&x=1'), { adapters: [adapter] })
    expect(adapter.open).toHaveBeenCalledWith('postgres://h/db?x=1', { schema: 'a' })
  })

  it('moves varve’s own parameters into the options, and leaves the rest to the driver', async () => {
    const adapter = postgres()
    const url =
      'postgres://u:p@h/db?sslmode=require&schema=my%20events&preset=development&tenantId=acme&application_name=a+b'
    await openEventStore(url, { adapters: [adapter] })
    expect(adapter.open).toHaveBeenCalledWith('postgres://u:p@h/db?sslmode=require&application_name=a+b', {
      schema: 'my events',
      preset: 'development',
      tenantId: 'acme',
    })
  })

  it('lets an option in the code decide over a parameter of the URL', async () => {
    const adapter = mysql()
    await openEventStore('mysql://h/db?tablePrefix=a_&tenantId=x', {
      adapters: [adapter],
      tablePrefix: 'b_',
      tenantId: undefined,
      retry: false,
    } as Record<string, unknown>)
    expect(adapter.open).toHaveBeenCalledWith('mysql://h/db', {
      tablePrefix: 'b_',
      tenantId: 'x',
      retry: false,
    })
  })

  it.each([
    ['postgres://h/db?partitioned=true', undefined, '@varve/postgres-partitioned'],
    ['postgres://h/db?partitioned=false', undefined, '@varve/postgres'],
    ['postgres://h/db', true, '@varve/postgres-partitioned'],
    ['postgres://h/db?partitioned=true', false, '@varve/postgres'],
  ])('opens %s with partitioned %s by %s', async (url, option, packageName) => {
    const adapters = [postgres(), partitioned()]
    const store = await openEventStore(url, {
      adapters,
      ...(option !== undefined && { partitioned: option }),
    })
    expect(store.tenantId).toBe(packageName)
    const chosen = adapters.find((adapter) => adapter.packageName === packageName)
    expect(chosen?.open).toHaveBeenCalledWith('postgres://h/db', {})
  })

  it('takes adapters for protocols of their own, and instead of varve’s', async () => {
    const own = fakeAdapter('my-adapter', ['duck:', 'sqlite:'])
    expect(await openEventStore('duck:quack', { adapters: [own] })).toBe(own.store)
    expect(await openEventStore('sqlite::memory:', { adapters: [own] })).toBe(own.store)
  })
})

describe('openEventStore refuses', () => {
  it.each<[unknown, RegExp]>([
    ['', /has no protocol; known are sqlite:\.\/events\.db, postgres:/],
    ['./events.db', /has no protocol/],
    ['//u:hunter2@h/db', /has no protocol/],
    ['mongodb://u:hunter2@h/db', /no adapter for 'mongodb:'; known are sqlite:\.\/events\.db, .*mariadb:/],
    ['localhost:5432/db?password=hunter2', /no adapter for 'localhost:'/],
    [undefined, /must be a URL, is undefined/],
    [5, /must be a URL, is 5/],
    ['postgres://u:hunter2@h/db?partitioned=yes', /'partitioned' must be true or false, is "yes"/],
    ['postgres://u:hunter2@h/db?schema=a&schema=b', /'schema' twice/],
    ['postgres://u:hunter2@h/db?partitioned=true&partitioned=true', /'partitioned' twice/],
  ])('%j, without showing a password', async (url, message) => {
    const refused = await refusal(openEventStore(url as string, { adapters: [postgres()] }))
    expect(refused.argument).toBe('url')
    expect(refused.message).toMatch(message)
    expect(refused.message).not.toContain('hunter2')
  })

  it('partitions on anything but Postgres', async () => {
    expect((await refusal(openEventStore('mysql://h/db?partitioned=true'))).message).toContain(
      'only Postgres',
    )
    expect((await refusal(openEventStore('sqlite::memory:', { partitioned: true }))).argument).toBe(
      'partitioned',
    )
    const notBoolean = { partitioned: 'true' as unknown as boolean }
    expect((await refusal(openEventStore('postgres://h/db', notBoolean))).argument).toBe('partitioned')
  })

  it('what is no adapter', async () => {
    const open = (adapters: unknown) => openEventStore('sqlite::memory:', { adapters: adapters as Adapter[] })
    expect((await refusal(open([sqlite(), { name: 'x' }]))).argument).toBe('adapters[1]')
    expect((await refusal(open(sqlite()))).argument).toBe('adapters')
    expect(
      (await refusal(openEventStore('sqlite::memory:', 5 as unknown as Record<string, unknown>))).argument,
    ).toBe('options')
  })

  it('a URL that the driver cannot read, without showing it', async () => {
    const adapter = postgres()
    adapter.open.mockImplementation((url) => {
      throw Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: url })
    })
    const opening = openEventStore('postgres://u:hunter2@:x/db', { adapters: [adapter] })
    await expect(opening).rejects.not.toHaveProperty('input')
    await expect(opening).rejects.not.toHaveProperty('cause')
    expect((await refusal(opening)).message).not.toContain('hunter2')
  })

  it('nothing that the adapter refuses: its errors come unchanged', async () => {
    const adapter = sqlite()
    const error = new Error('no such option')
    adapter.open.mockImplementation(() => {
      throw error
    })
    await expect(openEventStore('sqlite::memory:', { adapters: [adapter] })).rejects.toBe(error)
  })
})

describe('openEventStore with packages', () => {
  let folder: string
  // pnpm starts vitest with a NODE_PATH in which all packages of the workspace can be seen
  const readNodePath = Reflect.get(Module, '_initPaths') as () => void

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'varve-open-'))
    vi.spyOn(process, 'cwd').mockReturnValue(folder)
    // the real main module is vitest, and it can see every package of the workspace
    vi.spyOn(process, 'argv', 'get').mockReturnValue(['node'])
    vi.stubEnv('NODE_PATH', '')
    readNodePath()
  })
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllEnvs()
    readNodePath()
    rmSync(folder, { recursive: true })
  })

  function install(packageName: string, code: string): void {
    const place = join(folder, 'node_modules', packageName)
    mkdirSync(place, { recursive: true })
    writeFileSync(join(place, 'package.json'), JSON.stringify({ name: packageName, main: 'index.cjs' }))
    writeFileSync(join(place, 'index.cjs'), code)
  }

  it.each([
    ['sqlite::memory:', 'npm install @varve/sqlite better-sqlite3'],
    ['postgres://u:hunter2@h/db', 'npm install @varve/postgres pg'],
    ['postgres://u:hunter2@h/db?partitioned=true', 'npm install @varve/postgres-partitioned pg'],
    ['mysql://u:hunter2@h/db', 'npm install @varve/mysql mysql2'],
  ])('says for %s how to install what is missing', async (url, command) => {
    const refused = await refusal(openEventStore(url))
    expect(refused.argument).toBe('url')
    expect(refused.message).toContain(`which is not installed: ${command}`)
    expect(refused.message).not.toContain('hunter2')
  })

  it('finds a package of the working directory, which core cannot see', async () => {
    install(
      '@varve/mysql',
      `exports.adapter = { name: 'mysql', packageName: '@varve/mysql', protocols: ['mysql:'],
        open: (url, options) => ({ tenantId: url + JSON.stringify(options) }) }`,
    )
    const store = await openEventStore('mysql://h/db?tablePrefix=a_')
    expect(store.tenantId).toBe('mysql://h/db{"tablePrefix":"a_"}')
  })

  it('finds a package beside the main module, even through a link to it', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'varve-open-'))
    const main = join(folder, 'main.cjs')
    writeFileSync(main, '')
    symlinkSync(main, join(elsewhere, 'bin'))
    vi.spyOn(process, 'cwd').mockReturnValue(elsewhere)
    vi.spyOn(process, 'argv', 'get').mockReturnValue(['node', join(elsewhere, 'bin')])
    install(
      '@varve/sqlite',
      `exports.adapter = { name: 'x', packageName: '@varve/sqlite', protocols: [], open: () => ({ tenantId: 'found' }) }`,
    )
    expect((await openEventStore('sqlite::memory:')).tenantId).toBe('found')
    rmSync(elsewhere, { recursive: true })
  })

  it('refuses a package that exports no adapter', async () => {
    install('@varve/sqlite', 'exports.adapter = {}')
    expect((await refusal(openEventStore('sqlite::memory:'))).message).toContain('exports no adapter')
  })

  it('says how to install the driver that an installed package lacks', async () => {
    install('@varve/postgres', `require('pg-that-is-not-there')`)
    const message = /cannot load .*pg-that-is-not-there.*: npm install @varve\/postgres pg/s
    expect((await refusal(openEventStore('postgres://h/db'))).message).toMatch(message)
  })

  it('passes on whatever else an installed package throws', async () => {
    install('@varve/postgres', `throw new Error('broken build')`)
    await expect(openEventStore('postgres://h/db')).rejects.toThrow('broken build')
  })
})
