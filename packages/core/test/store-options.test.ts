import { describe, expect, it } from 'vitest'
import {
  presets,
  resolvePreset,
  resolveStoreOptions,
  type PresetName,
  type PresetOverrides,
  type StoreOptions,
} from '../src/index.js'
import { invalidArgument } from './refusal.js'

const development = {
  pool: { max: 5, min: 0 },
  statementTimeoutMs: 30_000,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
  projections: { batchSize: 50, checkpointEvery: 10 },
  snapshots: { every: 50 },
}
const production = {
  pool: { max: 20, min: 5 },
  statementTimeoutMs: 10_000,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 600_000,
  projections: { batchSize: 500, checkpointEvery: 100 },
  snapshots: { every: 100 },
}

describe('presets', () => {
  it('are those of the contract', () => {
    expect(presets).toStrictEqual({ development, production })
    expect(resolvePreset()).toStrictEqual(production)
    expect(resolvePreset('development')).toStrictEqual(development)
  })

  it('cannot be changed for everybody', () => {
    expect(() => Object.assign(presets.production.pool, { max: 1 })).toThrow(TypeError)
    expect(() => Object.assign(presets, { test: development })).toThrow(TypeError)
  })

  it('take overrides, setting by setting', () => {
    const overrides = { pool: { max: 7 }, projections: { checkpointEvery: 1 }, idleTimeoutMs: 0 }
    expect(resolvePreset('production', overrides)).toStrictEqual({
      ...production,
      pool: { max: 7, min: 5 },
      projections: { batchSize: 500, checkpointEvery: 1 },
      idleTimeoutMs: 0,
    })
  })

  it('fit the bound of a pool that was not given to the one that was', () => {
    expect(resolvePreset('production', { pool: { max: 3 } }).pool).toStrictEqual({ max: 3, min: 3 })
    expect(resolvePreset('development', { pool: { min: 9 } }).pool).toStrictEqual({ max: 9, min: 9 })
    expect(invalidArgument(() => resolvePreset('production', { pool: { max: 3, min: 4 } })).argument).toBe(
      'pool.min',
    )
  })

  it.each<[unknown, string]>([
    [{ pool: { max: 0 } }, 'pool.max'],
    [{ pool: { min: -1 } }, 'pool.min'],
    [{ pool: { maximum: 5 } }, 'pool.maximum'],
    [{ pool: 5 }, 'pool'],
    [{ pool: null }, 'pool'],
    [{ statementTimeoutMs: -1 }, 'statementTimeoutMs'],
    [{ acquireTimeoutMs: 1.5 }, 'acquireTimeoutMs'],
    [{ idleTimeoutMs: 2 ** 31 }, 'idleTimeoutMs'],
    [{ projections: { batchSize: 0 } }, 'projections.batchSize'],
    [{ projections: { checkpointEvery: Number.NaN } }, 'projections.checkpointEvery'],
    [{ projections: { batchsize: 5 } }, 'projections.batchsize'],
    [{ snapshots: { every: 0 } }, 'snapshots.every'],
    [{ timeout: 5 }, 'timeout'],
  ])('refuse %j', (overrides, argument) => {
    expect(invalidArgument(() => resolvePreset('production', overrides as PresetOverrides)).argument).toBe(
      argument,
    )
  })

  it('refuse another name, with the one that was meant', () => {
    const refusal = invalidArgument(() => resolvePreset('prodcution' as PresetName))
    expect(refusal).toMatchObject({
      argument: 'preset',
      message: expect.stringContaining("did you mean 'production'?"),
    })
    expect(invalidArgument(() => resolvePreset('toString' as PresetName)).argument).toBe('preset')
  })
})

describe('store options', () => {
  it('have defaults', () => {
    const defaults = {
      ...production,
      tenantId: 'default',
      preparedStatements: true,
      retry: { attempts: 5, baseDelayMs: 20, maxElapsedMs: 10_000 },
      maxEventBytes: 1_048_576,
      maxAppendBytes: 8_388_608,
      inline: [],
    }
    expect(resolveStoreOptions()).toStrictEqual(defaults)
    expect(resolveStoreOptions({ preset: undefined, retry: undefined })).toStrictEqual(defaults)
  })

  it('are kept', () => {
    const given = {
      tenantId: 'acme',
      preset: 'development',
      pool: { max: 2 },
      statementTimeoutMs: 5,
      acquireTimeoutMs: 6,
      idleTimeoutMs: 7,
      preparedStatements: false,
      retry: { attempts: 1 },
      maxEventBytes: 100,
      maxAppendBytes: 200,
    } as const
    const { preset: _, ...rest } = given
    expect(resolveStoreOptions(given)).toStrictEqual({
      inline: [],
      ...development,
      ...rest,
      pool: { max: 2, min: 0 },
      retry: { attempts: 1, baseDelayMs: 20, maxElapsedMs: 10_000 },
    })
    expect(resolveStoreOptions({ retry: false }).retry).toBe(false)
  })

  it('let an append be as large as its largest event', () => {
    expect(resolveStoreOptions({ maxEventBytes: 9_000_000 }).maxAppendBytes).toBe(9_000_000)
  })

  it.each<[unknown, string]>([
    [{ tenantId: '' }, 'tenantId'],
    [{ tenantId: null }, 'tenantId'],
    [{ preset: 'test' }, 'preset'],
    [{ pool: { max: -1 } }, 'pool.max'],
    [{ preparedStatements: 'no' }, 'preparedStatements'],
    [{ retry: true }, 'retry'],
    [{ retry: 5 }, 'retry'],
    [{ retry: null }, 'retry'],
    [{ retry: { attempts: 0 } }, 'retry.attempts'],
    [{ retry: { baseDelayMs: -1 } }, 'retry.baseDelayMs'],
    [{ retry: { maxElapsedMs: Infinity } }, 'retry.maxElapsedMs'],
    [{ retry: { retries: 5 } }, 'retry.retries'],
    [{ maxEventBytes: 0 }, 'maxEventBytes'],
    [{ maxAppendBytes: '8MB' }, 'maxAppendBytes'],
    [{ projections: {} }, 'projections'],
    [{ schema: 'varve' }, 'schema'],
    [null, 'options'],
  ])('refuse %j', (options, argument) => {
    expect(invalidArgument(() => resolveStoreOptions(options as StoreOptions)).argument).toBe(argument)
  })

  it('leave the adapter its own names, and know them when one is misspelt', () => {
    expect(resolveStoreOptions({ schema: 5 } as object, ['schema'])).toStrictEqual(resolveStoreOptions())
    const refusal = invalidArgument(() =>
      resolveStoreOptions({ shema: 'a' } as object, ['schema', 'tablePrefix']),
    )
    expect(refusal.message).toContain("did you mean 'schema'?")
  })
})
