import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import {
  newEvent,
  prepareAppend,
  prepareAppendMany,
  toRecorded,
  type AppendOptions,
  type NewEvent,
  type StreamWrite,
} from '../src/index.js'
import { invalidArgument, invalidEvent } from './refusal.js'

const limits = { maxEventBytes: 1024 * 1024, maxAppendBytes: 8 * 1024 * 1024 }
const id = '0192F0C1-7d3e-7c4a-9a51-6f5d3b2a1c00'
const minimal: NewEvent = { type: 'money.deposited', data: { amount: 1 } }
const append = (events: unknown, options?: unknown) =>
  prepareAppend('default', 'acc-1', events as NewEvent[], options as AppendOptions, limits)
const appendMany = (writes: unknown) => prepareAppendMany('default', writes as StreamWrite[], limits)
const one = (event: object) => append([{ ...minimal, ...event }]).events[0]
const refused = (event: object) => invalidEvent(() => append([minimal, { ...minimal, ...event }]))

describe('a prepared event', () => {
  it('has every default', () => {
    const before = Date.now()
    const write = append([minimal])
    expect(write).toMatchObject({
      tenantId: 'default',
      streamId: 'acc-1',
      streamType: undefined,
      expectedVersion: 'any',
      bytes: 14,
    })
    const event = write.events[0]
    expect(event).toMatchObject({
      generatedId: true,
      type: 'money.deposited',
      data: '{"amount":1}',
      metadata: '{}',
      schemaVersion: 1,
      correlationId: undefined,
      causationId: undefined,
      createdBy: undefined,
      tags: [],
      sizeBytes: 12,
      bytes: 14,
    })
    expect(event?.id).toMatch(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
    expect(event?.occurredAt.getTime()).toBeGreaterThanOrEqual(before)
  })

  it('keeps what was given, with the id in lower case', () => {
    const given = {
      ...minimal,
      id,
      metadata: { b: 1, a: 'ü' },
      schemaVersion: 3,
      occurredAt: new Date('1999-12-31T23:59:59.999Z'),
      correlationId: 'c',
      causationId: 'd',
      createdBy: 'e',
      tags: ['x', 'y', 'x'],
    }
    expect(append([given]).events[0]).toStrictEqual({
      ...given,
      id: id.toLowerCase(),
      generatedId: false,
      data: '{"amount":1}',
      metadata: '{"a":"ü","b":1}',
      sizeBytes: 12,
      bytes: 12 + 16,
    })
  })

  it('treats an undefined property as absent', () => {
    const event = one({
      id: undefined,
      metadata: undefined,
      tags: undefined,
      occurredAt: undefined,
      createdBy: undefined,
    })
    expect(event).toMatchObject({ generatedId: true, metadata: '{}', tags: [], createdBy: undefined })
  })

  it('gives generated ids that ascend', () => {
    const ids = append(Array.from({ length: 2000 }, () => minimal)).events.map((event) => event.id)
    expect(ids).toStrictEqual(ids.toSorted())
    expect(new Set(ids).size).toBe(2000)
  })

  it('is a copy of everything', () => {
    const occurredAt = new Date(5)
    const tags = ['a']
    const data = { list: [1] }
    const events = [{ type: 'a', data, tags, occurredAt }]
    const write = append(events)
    occurredAt.setTime(9)
    tags.push('b')
    data.list.push(2)
    events.push({ ...minimal, tags, occurredAt, data })
    expect(write.events).toHaveLength(1)
    expect(write.events[0]).toMatchObject({ data: '{"list":[1]}', tags: ['a'], occurredAt: new Date(5) })
  })

  it('is made of one read of every property', () => {
    const reads: string[] = []
    const spy = <T extends object>(target: T): T =>
      new Proxy(target, {
        get: (object, key) => {
          reads.push(String(key))
          return Reflect.get(object, key)
        },
      })
    append(
      [
        spy({
          ...minimal,
          id,
          metadata: {},
          schemaVersion: 1,
          tags: [],
          correlationId: 'a',
          causationId: 'b',
          createdBy: 'c',
        }),
      ],
      spy({ expectedVersion: 3, streamType: 'account' }),
    )
    expect(reads.toSorted()).toStrictEqual([...new Set(reads)].toSorted())
    expect(reads).toContain('data')
  })

  it.each([new Date(0), new Date('9999-12-31T23:59:59.999Z'), runInNewContext('new Date(77)') as Date])(
    'may have happened at %s',
    (occurredAt) => {
      expect(one({ occurredAt })?.occurredAt.getTime()).toBe(occurredAt.getTime())
      expect(one({ occurredAt })?.occurredAt).toBeInstanceOf(Date)
    },
  )

  it('may be an instance of a class', () => {
    class Deposited {
      readonly type = 'money.deposited'
      constructor(readonly data: { amount: number }) {}
    }
    expect(append([new Deposited({ amount: 1 })]).events[0]?.data).toBe('{"amount":1}')
  })

  it('may be at every limit', () => {
    const longest = 'é'.repeat(127) + 'e'
    const tags = Array.from({ length: 32 }, () => longest)
    const all = { type: longest, correlationId: longest, causationId: longest, createdBy: longest, tags }
    expect(
      one({ ...all, schemaVersion: 2_147_483_647, id: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }),
    ).toMatchObject(all)
    expect(one({ data: null })?.data).toBe('null')
  })
})

describe('an event is refused', () => {
  it.each<[string, unknown, RegExp]>([
    ['type', undefined, /must be a string, is undefined/],
    ['type', '', /must not be empty/],
    ['type', 'x'.repeat(256), /at most 255 UTF-8 bytes, has 256/],
    ['type', 'é'.repeat(128), /at most 255 UTF-8 bytes, has 256/],
    ['type', '\u{1f600}'.repeat(64), /at most 255 UTF-8 bytes, has 256/],
    ['type', 'a\nb', /control character U\+000A at index 1/],
    ['type', 'a\u007f', /control character U\+007F/],
    ['type', 'a\u0085', /control character U\+0085/],
    ['type', 'a\0', /control character U\+0000/],
    ['type', 'a\ud800', /lone surrogate U\+D800/],
    ['type', '\udc00', /lone surrogate U\+DC00/],
    ['type', '\udc00\udc00', /lone surrogate U\+DC00 at index 0/],
    ['correlationId', '', /must not be empty/],
    ['causationId', 7, /must be a string, is 7/],
    ['createdBy', null, /must be a string, is null/],
    ['id', 'no-uuid', /must be a UUID, is "no-uuid"/],
    ['id', `{${id}}`, /must be a UUID/],
    ['id', `${id}\n`, /must be a UUID/],
    ['id', 5, /must be a UUID, is 5/],
    ['schemaVersion', 0, /from 1 to 2147483647, is 0/],
    ['schemaVersion', 1.5, /is 1.5/],
    ['schemaVersion', 2_147_483_648, /is 2147483648/],
    ['schemaVersion', '1', /is "1"/],
    ['occurredAt', new Date(Number.NaN), /Invalid Date/],
    ['occurredAt', new Date(-1), /1970 to 9999, is 1969-12-31T23:59:59.999Z/],
    ['occurredAt', new Date('+010000-01-01T00:00:00Z'), /1970 to 9999/],
    ['occurredAt', '2020-01-01', /must be a Date/],
    ['occurredAt', { [Symbol.toStringTag]: 'Date', getTime: () => 5 }, /must be a Date/],
    ['tags', 'a', /must be an array, is "a"/],
    ['tags', Array.from({ length: 33 }, () => 'a'), /at most 32 tags, are 33/],
    ['tags[1]', ['a', ''], /must not be empty/],
    ['tags[0]', [1], /must be a string/],
    ['metadata', [], /must be an object, is an array/],
    ['metadata', 'a', /must be an object/],
    ['metadata', null, /must be an object, is null/],
    ['metadata.at', { at: new Date() }, /instance of Date/],
    ['data', undefined, /undefined is no JSON value/],
    ['data.a[0]', { a: [undefined] }, /undefined is no JSON value/],
  ])('for its %s %j', (name, value, reason) => {
    const property = name.replace(/[.[].*/, '')
    const refusal = refused({ [property]: value })
    expect(refusal.path).toBe(`events[1].${name}`)
    expect(refusal.reason).toMatch(reason)
  })

  it('when it is none', () => {
    expect(invalidEvent(() => append([minimal, null])).path).toBe('events[1]')
    expect(invalidEvent(() => append([[]])).path).toBe('events[0]')
    // oxlint-disable-next-line no-sparse-arrays
    expect(invalidEvent(() => append([minimal, , minimal])).path).toBe('events[1]')
  })

  it('for a property that events do not have, with the one that was meant', () => {
    const refusal = refused({ metaData: {} })
    expect(refusal.path).toBe('events[1].metaData')
    expect(refusal.reason).toContain("did you mean 'metadata'?")
    expect(refused({ corelationId: 'a' }).reason).toContain("did you mean 'correlationId'?")
    expect(refused({ position: 1 }).reason).toContain('known are type, data')
    expect(refused(JSON.parse('{"__proto__":1}') as object).path).toBe('events[1].__proto__')
  })

  it('with data and metadata beyond maxEventBytes together, and not at it', () => {
    const sized = (bytes: number) =>
      prepareAppend(
        't',
        's',
        [minimal, { type: 'a', data: 'x'.repeat(bytes - 12), metadata: { a: 'é' } }],
        {},
        {
          ...limits,
          maxEventBytes: 1000,
        },
      )
    expect(sized(1000).events[1]?.bytes).toBe(1000)
    expect(invalidEvent(() => sized(1001))).toStrictEqual({
      path: 'events[1]',
      reason: 'larger than 1000 bytes as JSON: data and metadata have 1001',
    })
    expect(invalidEvent(() => sized(5000)).path).toBe('events[1]')
  })

  it('when its id is given twice, in whatever case', () => {
    const twice = invalidEvent(() =>
      append([{ ...minimal, id }, minimal, { ...minimal, id: id.toLowerCase() }]),
    )
    expect(twice).toStrictEqual({ path: 'events[2].id', reason: 'the same id as that of events[0]' })
  })
})

describe('append', () => {
  it.each([0, 1, Number.MAX_SAFE_INTEGER, 'any', 'no-stream', 'stream-exists'] as const)(
    'expects %s',
    (expectedVersion) => {
      expect(append([minimal], { expectedVersion }).expectedVersion).toBe(expectedVersion)
    },
  )

  it('takes -0 for 0', () => {
    expect(append([minimal], { expectedVersion: -0 }).expectedVersion).toBe(0)
  })

  it.each([-1, 1.5, Number.NaN, Infinity, 2 ** 53, '1', 'none', null, {}])(
    'does not expect %j',
    (expectedVersion) => {
      expect(invalidArgument(() => append([minimal], { expectedVersion })).argument).toBe('expectedVersion')
    },
  )

  it('refuses unknown options, naming the one that was meant', () => {
    const refusal = invalidArgument(() => append([minimal], { expectVersion: 1 }))
    expect(refusal.argument).toBe('expectVersion')
    expect(refusal.message).toContain("did you mean 'expectedVersion'?")
    expect(invalidArgument(() => append([minimal], 5)).argument).toBe('options')
    expect(invalidArgument(() => append([minimal], [])).argument).toBe('options')
  })

  it('refuses names of streams, types and tenants like those of events', () => {
    const path = (...[tenantId, streamId, options]: [string, string, object]) =>
      invalidEvent(() => prepareAppend(tenantId, streamId, [minimal], options, limits)).path
    expect(path('', 's', {})).toBe('tenantId')
    expect(path('t', 'a\tb', {})).toBe('streamId')
    expect(path('t', 5 as unknown as string, {})).toBe('streamId')
    expect(path('t', 's', { streamType: '' })).toBe('streamType')
  })

  it('keeps what looks alike apart', () => {
    for (const streamId of ['Order-1', 'order-1', 'Order-1 ', ' ', '\u00e9', 'e\u0301']) {
      expect(prepareAppend('t', streamId, [minimal], {}, limits).streamId).toBe(streamId)
    }
  })

  it('refuses no events, and events that are no array', () => {
    expect(invalidEvent(() => append([])).path).toBe('events')
    expect(invalidEvent(() => append(minimal)).path).toBe('events')
    expect(invalidEvent(() => append(undefined)).path).toBe('events')
  })

  it('refuses more than maxAppendBytes in all, and not that many', () => {
    const sized = (maxAppendBytes: number) =>
      prepareAppend('t', 's', [minimal, minimal, minimal], {}, { ...limits, maxAppendBytes })
    expect(sized(42).bytes).toBe(42)
    expect(invalidEvent(() => sized(41)).path).toBe('events')
  })
})

describe('appendMany', () => {
  const write = { streamId: 'a', events: [minimal] }

  it('prepares every write in its order, checks included', () => {
    const writes = appendMany([
      { ...write, expectedVersion: 4, streamType: 'account' },
      { streamId: 'b', events: [], expectedVersion: 'no-stream' },
    ])
    expect(writes).toMatchObject([
      { streamId: 'a', expectedVersion: 4, streamType: 'account', bytes: 14 },
      { streamId: 'b', expectedVersion: 'no-stream', streamType: undefined, events: [], bytes: 0 },
    ])
  })

  it.each<[unknown, string]>([
    [[], 'writes'],
    [write, 'writes'],
    [[write, null], 'writes[1]'],
    [[write, { ...write, streamId: 'b', expectedVersion: -1 }], 'writes[1].expectedVersion'],
    [[{ ...write, event: [] }], 'writes[0].event'],
    [[write, { streamId: 'b', events: [] }, write], 'writes[2].streamId'],
  ])('refuses %j as an argument', (writes, argument) => {
    expect(invalidArgument(() => appendMany(writes)).argument).toBe(argument)
  })

  it.each<[unknown, string]>([
    [[write, { streamId: '', events: [] }], 'writes[1].streamId'],
    [[{ streamId: 'a' }], 'writes[0].events'],
    [[{ ...write, streamType: 'a\0' }], 'writes[0].streamType'],
    [[write, { streamId: 'b', events: [{ type: 'a', data: { x: 1n } }] }], 'writes[1].events[0].data.x'],
    [[write, { streamId: 'b', events: [{ ...minimal, typo: 1 }] }], 'writes[1].events[0].typo'],
  ])('refuses an invalid event, at its path', (writes, path) => {
    expect(invalidEvent(() => appendMany(writes)).path).toBe(path)
  })

  it('refuses an id that two writes share', () => {
    const events = [{ ...minimal, id }]
    const twice = invalidEvent(() =>
      appendMany([
        { streamId: 'a', events },
        { streamId: 'b', events },
      ]),
    )
    expect(twice).toStrictEqual({
      path: 'writes[1].events[0].id',
      reason: 'the same id as that of writes[0].events[0]',
    })
  })

  it('counts maxAppendBytes over all writes', () => {
    const writes = [write, { ...write, streamId: 'b' }]
    expect(prepareAppendMany('t', writes, { ...limits, maxAppendBytes: 28 })).toHaveLength(2)
    expect(invalidEvent(() => prepareAppendMany('t', writes, { ...limits, maxAppendBytes: 27 })).path).toBe(
      'writes',
    )
  })
})

describe('a recorded event', () => {
  const recordedAt = new Date('2026-01-01T00:00:00.001Z')
  const assigned = { version: 3, position: 17, recordedAt, streamType: 'account' }

  it('has everything, and absent what was not given', () => {
    const write = append([newEvent({ ...minimal, occurredAt: new Date(0) })])
    const recorded = toRecorded(write, 0, assigned)
    expect(recorded).toStrictEqual({
      id: write.events[0]?.id,
      type: 'money.deposited',
      data: { amount: 1 },
      metadata: {},
      schemaVersion: 1,
      occurredAt: new Date(0),
      tags: [],
      tenantId: 'default',
      streamId: 'acc-1',
      streamType: 'account',
      version: 3,
      position: 17,
      recordedAt,
      sizeBytes: 12,
      checksum: expect.stringMatching(/^[\da-f]{64}$/) as unknown,
    })
    expect(Object.keys(recorded)).not.toContain('correlationId')
  })

  it('turns -0 into 0, keeps __proto__, and counts the bytes of the data only', () => {
    const data = JSON.parse('{"__proto__":{"a":-0},"ü":"\u{1f600}"}') as NewEvent['data']
    const recorded = toRecorded(
      append([{ type: 'a', data, metadata: { m: 1 }, createdBy: 'me' }]),
      0,
      assigned,
    )
    expect(JSON.stringify(recorded.data)).toBe('{"__proto__":{"a":0},"ü":"\u{1f600}"}')
    expect(recorded.sizeBytes).toBe(Buffer.byteLength('{"__proto__":{"a":0},"ü":"\u{1f600}"}'))
    expect(recorded.createdBy).toBe('me')
  })

  it('shares nothing with the prepared one', () => {
    const write = append([{ ...minimal, tags: ['a'], occurredAt: new Date(0) }])
    const first = toRecorded(write, 0, assigned)
    first.occurredAt.setTime(5)
    ;(first.tags as string[]).push('b')
    Object.assign(first.data as object, { amount: 2 })
    first.recordedAt.setTime(5)
    expect(toRecorded(write, 0, assigned)).toMatchObject({
      occurredAt: new Date(0),
      tags: ['a'],
      data: { amount: 1 },
      recordedAt: new Date('2026-01-01T00:00:00.001Z'),
    })
  })

  it('is one of the write', () => {
    expect(() => toRecorded(append([minimal]), 1, assigned)).toThrow(RangeError)
  })
})

describe('newEvent', () => {
  it('fixes an id, so that an append can be repeated', () => {
    const event = newEvent(minimal)
    expect(event).toMatchObject(minimal)
    expect(append([event]).events[0]?.id).toBe(event.id)
    expect(newEvent({ ...minimal, id }).id).toBe(id)
  })
})
