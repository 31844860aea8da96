import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  resolveListStreams,
  resolveReadAll,
  resolveReadStream,
  resolveTransaction,
  resolveVerify,
  splitTypes,
  type ReadAllOptions,
} from '../src/index.js'
import { invalidArgument } from './refusal.js'

const NO_END = Number.MAX_SAFE_INTEGER
const readAll = (options: unknown) => resolveReadAll(options as ReadAllOptions)
const refused = (options: unknown) => invalidArgument(() => readAll(options))

describe('what is not given', () => {
  it('has its default, and filters are absent', () => {
    const defaults = {
      after: 0,
      until: NO_END,
      direction: 'forwards',
      limit: NO_END,
      settled: true,
      waitForSettledMs: 5_000,
    }
    expect(resolveReadAll()).toStrictEqual(defaults)
    expect(resolveReadAll({})).toStrictEqual(defaults)
    expect(readAll({ types: undefined, after: undefined, metadata: undefined })).toStrictEqual(defaults)
    expect(readAll({ metadata: {} })).toStrictEqual(defaults)
    expect(resolveReadStream()).toStrictEqual({
      fromVersion: 1,
      toVersion: NO_END,
      direction: 'forwards',
      limit: NO_END,
    })
    expect(resolveListStreams()).toStrictEqual({
      prefix: '',
      includeArchived: false,
      after: '',
      limit: NO_END,
    })
    expect(resolveVerify()).toStrictEqual({ after: 0, until: NO_END })
    expect(resolveTransaction()).toStrictEqual({ retries: 0 })
  })
})

describe('what is given', () => {
  it('is kept', () => {
    const given = {
      after: 3,
      until: 9,
      types: ['money.*', 'money.deposited'],
      streamTypes: [],
      streamIds: ['Order-1 '],
      tags: [],
      correlationId: 'a',
      causationId: 'b',
      createdBy: 'c',
      recordedFrom: new Date(5),
      recordedTo: new Date(6),
      metadata: { a: { b: [null, 1, 'x', true][1] as number, c: null }, d: false },
      direction: 'backwards',
      limit: 0,
      settled: false,
      waitForSettledMs: 0,
    } as const
    expect(resolveReadAll(given)).toStrictEqual(given)
    expect(
      resolveReadStream({ fromVersion: 2, toVersion: 0, direction: 'backwards', limit: 7 }),
    ).toStrictEqual({
      fromVersion: 2,
      toVersion: 0,
      direction: 'backwards',
      limit: 7,
    })
    const streams = { streamTypes: ['a'], prefix: 'acc-', includeArchived: true, after: 'acc-1', limit: 5 }
    expect(resolveListStreams(streams)).toStrictEqual(streams)
    const verify = { after: 1, until: 2, onProgress: () => undefined, signal: new AbortController().signal }
    expect(resolveVerify(verify)).toStrictEqual(verify)
    expect(resolveTransaction({ retries: 3 })).toStrictEqual({ retries: 3 })
  })

  it('is a copy', () => {
    const types = ['a']
    const recordedFrom = new Date(5)
    const metadata = { a: { b: 1 } }
    const resolved = resolveReadAll({ types, recordedFrom, metadata })
    types.push('b')
    recordedFrom.setTime(9)
    metadata.a.b = 2
    expect(resolved).toMatchObject({ types: ['a'], recordedFrom: new Date(5), metadata: { a: { b: 1 } } })
    expect(Object.isFrozen(resolved)).toBe(true)
  })

  it('may start at version 0, which means 1', () => {
    expect(resolveReadStream({ fromVersion: 0 }).fromVersion).toBe(1)
  })

  it('may hold dates of other realms, and dates that no event can have', () => {
    expect(readAll({ recordedFrom: runInNewContext('new Date(5)') }).recordedFrom).toStrictEqual(new Date(5))
    expect(readAll({ recordedFrom: new Date(-5) }).recordedFrom).toStrictEqual(new Date(0))
    expect(readAll({ recordedTo: new Date(8.64e15) }).recordedTo).toStrictEqual(
      new Date('9999-12-31T23:59:59.999Z'),
    )
  })

  it('keeps __proto__ in a metadata filter', () => {
    const resolved = readAll({ metadata: JSON.parse('{"__proto__":{"a":1}}') as object })
    expect(JSON.stringify(resolved.metadata)).toBe('{"__proto__":{"a":1}}')
  })
})

describe('refused is', () => {
  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53, '1', null, 1n, true])(
    '%s where a number from 0 on belongs',
    (value) => {
      for (const name of ['after', 'until', 'limit', 'waitForSettledMs'])
        expect(refused({ [name]: value }).argument).toBe(name)
      for (const name of ['fromVersion', 'toVersion', 'limit'] as const) {
        expect(invalidArgument(() => resolveReadStream({ [name]: value })).argument).toBe(name)
      }
      expect(invalidArgument(() => resolveListStreams({ limit: value as number })).argument).toBe('limit')
      expect(invalidArgument(() => resolveVerify({ after: value as number })).argument).toBe('after')
      expect(invalidArgument(() => resolveVerify({ until: value as number })).argument).toBe('until')
      expect(invalidArgument(() => resolveTransaction({ retries: value as number })).argument).toBe('retries')
    },
  )

  it.each<[string, unknown, string?]>([
    ['direction', 'backward'],
    ['direction', null],
    ['settled', 'false'],
    ['settled', 0],
    ['types', 'money.deposited'],
    ['types', ['a', ''], 'types[1]'],
    ['types', ['*'], 'types[0]'],
    ['types', ['money*'], 'types[0]'],
    ['types', ['a', '*.deposited'], 'types[1]'],
    ['types', ['a', '.*'], 'types[1]'],
    ['types', [undefined], 'types[0]'],
    ['streamTypes', [5], 'streamTypes[0]'],
    ['streamIds', ['a\0'], 'streamIds[0]'],
    ['streamIds', new Set(['a'])],
    ['tags', ['\ud800'], 'tags[0]'],
    ['tags', null],
    ['correlationId', ''],
    ['causationId', 5],
    ['createdBy', 'x'.repeat(256)],
    ['recordedFrom', '2020-01-01'],
    ['recordedTo', new Date(Number.NaN)],
    ['metadata', []],
    ['metadata', 'a'],
    ['metadata', null],
    ['metadata', { a: [1] }, 'metadata.a'],
    ['metadata', { a: { b: {} } }, 'metadata.a.b'],
    ['metadata', { a: { 'b c': [] } }, 'metadata.a["b c"]'],
    ['metadata', { a: undefined }, 'metadata.a'],
    ['metadata', { a: Number.NaN }, 'metadata.a'],
    ['metadata', { a: new Date() }, 'metadata.a'],
    ['metadata', { a: 'x\0' }, 'metadata.a'],
  ])('%s: %j', (name, value, argument = name) => {
    expect(refused({ [name]: value }).argument).toBe(argument)
  })

  it.each<[() => unknown, string]>([
    [() => resolveListStreams({ prefix: 'a\0' }), 'prefix'],
    [() => resolveListStreams({ prefix: 5 as unknown as string }), 'prefix'],
    [() => resolveListStreams({ after: 'x'.repeat(256) }), 'after'],
    [() => resolveListStreams({ includeArchived: 1 as unknown as boolean }), 'includeArchived'],
    [() => resolveListStreams({ streamTypes: 'a' as unknown as string[] }), 'streamTypes'],
    [() => resolveVerify({ onProgress: 5 as unknown as () => void }), 'onProgress'],
    [() => resolveVerify({ signal: {} as AbortSignal }), 'signal'],
    [() => resolveReadStream({ direction: 'sideways' as 'forwards' }), 'direction'],
  ])('%s', (call, argument) => {
    expect(invalidArgument(call).argument).toBe(argument)
  })

  it('an unknown name, with the one that was meant', () => {
    expect(refused({ type: ['a'] })).toMatchObject({
      argument: 'type',
      message: expect.stringContaining("'types'"),
    })
    expect(refused({ streamID: ['a'] }).message).toContain("did you mean 'streamIds'?")
    expect(refused({ meta: {} }).message).toContain("did you mean 'metadata'?")
    expect(refused({ form: 1, types: [] }).argument).toBe('form')
    expect(refused({ colour: 'red' }).message).toContain('known are types, streamTypes')
    expect(invalidArgument(() => resolveReadStream({ from: 1 } as object)).argument).toBe('from')
    expect(invalidArgument(() => resolveListStreams({ archived: true } as object)).argument).toBe('archived')
    expect(invalidArgument(() => resolveVerify({ onprogress: null } as object)).argument).toBe('onprogress')
    expect(invalidArgument(() => resolveTransaction({ retry: 1 } as object)).argument).toBe('retry')
  })

  it.each([null, 5, 'after', [], true])('%j instead of options', (options) => {
    expect(refused(options).argument).toBe('options')
  })
})

describe('splitTypes', () => {
  it('tells exact types from prefixes', () => {
    expect(splitTypes(['money.*', 'money.deposited', 'a.b.*', 'x*', '*.y'])).toStrictEqual({
      exact: ['money.deposited', 'x*', '*.y'],
      prefixes: ['money.', 'a.b.'],
    })
    expect(splitTypes([])).toStrictEqual({ exact: [], prefixes: [] })
  })
})
