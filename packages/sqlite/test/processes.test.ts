import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { isStoreUnavailableError } from '@varve/core'
import { describe, expect, it } from 'vitest'
import { one, useStores } from './stores.js'

const { file, open, migrated, database, afterwards } = useStores()

function start(filename: string, ...what: string[]) {
  const child = fork(new URL('./process.mjs', import.meta.url), [filename, ...what], {
    execArgv: ['--conditions=@varve/source', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const exit = once(child, 'exit')
  afterwards(() => void child.kill('SIGKILL'))
  return { child, exit }
}

/** A process that holds a transaction open, and with it the lock of the file. */
async function holding(filename: string) {
  const { child, exit } = start(filename, 'hold')
  await once(child, 'message')
  return {
    end: (how: 'commit' | 'rollback') => child.send(how),
    async kill() {
      child.kill('SIGKILL')
      await exit
    },
    exit,
  }
}

describe('several processes on one file', () => {
  it('migrate and append, twenty at once', { timeout: 120_000 }, async () => {
    const filename = file()
    const processes = Array.from({ length: 20 }, () => start(filename, 'append', '5'))
    expect(await Promise.all(processes.map(({ exit }) => exit))).toEqual(processes.map(() => [0, null]))
    const store = open({ filename })
    const events = await store.readStream('shared').toArray()
    expect(events.map(({ version }) => version)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    expect(await store.verify()).toMatchObject({ ok: true, events: 100 })
  })

  it('count in turns without losing one', async () => {
    const filename = file()
    const store = await migrated({ filename })
    const processes = Array.from({ length: 4 }, () => start(filename, 'count', '25'))
    expect(await Promise.all(processes.map(({ exit }) => exit))).toEqual(processes.map(() => [0, null]))
    const events = await store.readStream('counter').toArray()
    expect(events.map(({ data }) => data)).toEqual(
      Array.from({ length: 100 }, (_, index) => ({ next: index + 1 })),
    )
  })

  it('a read does not wait for a writer, and an append does without blocking its process', async () => {
    const filename = file()
    const store = await migrated({ filename })
    const other = await holding(filename)
    expect(await store.readAll().count()).toBe(0)
    const append = store.append('shared', one)
    await setImmediate()
    // were the process blocked, the other one would never hear of it
    other.end('commit')
    expect((await append).version).toBe(2)
    expect(await other.exit).toEqual([0, null])
  })

  it('nothing is left of a process that is killed in a transaction, and nobody waits for it', async () => {
    const filename = file()
    const store = await migrated({ filename })
    const other = await holding(filename)
    const append = store.append('shared', one)
    await other.kill()
    expect((await append).version).toBe(1)
    expect(await store.verify()).toMatchObject({ ok: true, events: 1 })
  })

  it('an append that has waited too long says for what, and has stored nothing', async () => {
    const filename = file()
    const store = await migrated({ filename, acquireTimeoutMs: 50, retry: false })
    const other = await holding(filename)
    const failure: unknown = await store.append('a', one).catch((error: unknown) => error)
    expect(failure).toSatisfy(isStoreUnavailableError)
    expect(failure).toMatchObject({
      outcome: 'not-applied',
      message: expect.stringContaining(`lock on '${filename}'`),
    })
    await expect(store.archiveStream('a')).rejects.toSatisfy(isStoreUnavailableError)
    await expect(store.transaction(async () => 1)).rejects.toSatisfy(isStoreUnavailableError)
    other.end('rollback')
    await other.exit
    expect(await store.readAll().count()).toBe(0)
  })
})

describe("the caller's Database", () => {
  it('does not wait inside SQLite for the sake of the store, and keeps its setting', async () => {
    const filename = file()
    const own = database(filename)
    own.pragma('busy_timeout = 60000')
    const store = await migrated({ database: own })
    const other = database(filename)
    other.exec('begin immediate')
    const append = store.append('a', one)
    for (let turn = 0; turn < 50; turn++) await setImmediate()
    other.exec('rollback')
    expect((await append).version).toBe(1)
    expect(own.pragma('busy_timeout', { simple: true })).toBe(60_000)
  })

  it('may go without a write-ahead log: appends wait for readers', async () => {
    const filename = file()
    const own = database(filename)
    own.pragma('journal_mode = delete')
    const store = await migrated({ database: own })
    const reader = database(filename)
    reader.pragma('journal_mode = delete')
    reader.exec('begin')
    expect(reader.prepare('select count(*) from events').pluck().get()).toBe(0)
    const append = store.append('a', one)
    for (let turn = 0; turn < 50; turn++) await setImmediate()
    expect(reader.prepare('select count(*) from events').pluck().get()).toBe(0)
    reader.exec('commit')
    expect((await append).version).toBe(1)
    expect(await store.readAll().count()).toBe(1)
    expect((await store.health()).status).toBe('degraded')
  })
})
