import { StoreUnavailableError } from '@varve/core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Dialect, SettledState } from '../src/dialect.js'
import type { SqlDriver } from '../src/driver.js'
import { health } from '../src/health.js'
import { migrate } from '../src/migrate.js'
import { migration, scratch } from './scratch.js'
import type { Scratch } from './scratch.js'

const files = [migration('0001_streams', 'create table {{streams}} (id text)')]

function base(state: SettledState, more: Partial<Dialect> = {}): Scratch {
  const over = scratch({ files, tables: ['streams'] })
  const settled = {
    look: async () => ({ settled: state.settled, high: state.high }),
    beyond: async () => state,
  }
  Object.assign(over.dialect, { settled, health: async () => [], ...more })
  return over
}

const quiet: SettledState = { settled: 7, high: 7 }

afterEach(() => vi.useRealTimers())

describe('health', () => {
  it('is ok when all is applied and settled', async () => {
    const { driver, dialect } = base(quiet)
    await migrate({ driver, dialect })
    const report = await health(driver, dialect)
    expect(report.status).toBe('ok')
    expect(report.checks.map(({ name, status }) => [name, status])).toEqual([
      ['connection', 'ok'],
      ['migrations', 'ok'],
      ['settled', 'ok'],
    ])
  })

  it('is degraded while migrations are pending, and names them', async () => {
    const { driver, dialect } = base(quiet)
    const report = await health(driver, dialect)
    expect(report.status).toBe('degraded')
    expect(report.checks[1]).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('0001_streams'),
    })
  })

  it.each([
    ['older code', []],
    ['edited code', [migration('0001_streams', 'create table {{streams}} (id integer)')]],
  ])('is degraded for %s over a newer database', async (_, shipped) => {
    const { driver, dialect, database } = base(quiet)
    await migrate({ driver, dialect })
    const other = base(quiet)
    const migrations = scratch({ files: shipped, database }).dialect.migration
    const report = await health(driver, { ...other.dialect, migration: migrations })
    expect(report.checks[1]).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('0001_streams'),
    })
  })

  it('names who keeps readers waiting for long, not who appends just now', async () => {
    const blocker = (ageMs: number) => ({
      settled: 7,
      high: 9,
      blocker: { pid: 42, ageMs, detail: 'backend 42' },
    })
    const long = base(blocker(60_000))
    await migrate(long)
    const report = await health(long.driver, long.dialect)
    expect(report.status).toBe('degraded')
    expect(report.checks[2]?.detail).toContain('backend 42')
    const brief = base(blocker(20))
    await migrate(brief)
    expect((await health(brief.driver, brief.dialect)).status).toBe('ok')
  })

  it('takes in what the engine has to say', async () => {
    const engine = { name: 'default-partition', status: 'degraded' as const, detail: 'holds 3 rows' }
    const over = base(quiet, { health: async () => [engine] })
    await migrate(over)
    const report = await health(over.driver, over.dialect)
    expect(report.status).toBe('degraded')
    expect(report.checks.at(-1)).toEqual(engine)
  })

  it("is down when there is no connection, without repeating a driver's words", async () => {
    const over = base(quiet)
    const driver = {
      query: async () => Promise.reject(new Error('postgres://app:secret@host refused')),
      classify: () => ({ kind: 'unreachable', detail: 'postgres://app:secret@host refused' }),
    } as unknown as SqlDriver
    const report = await health(driver, over.dialect)
    expect(report.status).toBe('down')
    expect(report.checks).toHaveLength(1)
    expect(JSON.stringify(report)).not.toContain('secret')
  })

  it('is down when the database never answers', async () => {
    vi.useFakeTimers()
    const driver = { query: () => new Promise(() => undefined) } as unknown as SqlDriver
    const report = health(driver, base(quiet).dialect)
    await vi.advanceTimersByTimeAsync(5_000)
    expect((await report).status).toBe('down')
  })

  it("gives the reason when a check fails with an error of the store's", async () => {
    const refuse = async () => Promise.reject(new StoreUnavailableError('this server is a standby'))
    const over = base(quiet)
    Object.assign(over.dialect, { settled: { look: refuse } })
    await migrate(over)
    const report = await health(over.driver, over.dialect)
    expect(report.checks[2]).toMatchObject({
      status: 'degraded',
      detail: expect.stringContaining('this server is a standby'),
    })
  })
})
