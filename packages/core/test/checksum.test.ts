import { createHash } from 'node:crypto'
import reference from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalParts, checksumOf, prepareAppend, toRecorded, type NewEvent } from '../src/index.js'

const limits = { maxEventBytes: 1_000_000, maxAppendBytes: 1_000_000 }
const name = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((value) => !/\p{Cc}/u.test(value))
const json = fc.jsonValue({ stringUnit: 'grapheme' })
const event: fc.Arbitrary<NewEvent> = fc.record(
  {
    type: name,
    data: json as fc.Arbitrary<NewEvent['data']>,
    metadata: fc.dictionary(name, json) as fc.Arbitrary<NonNullable<NewEvent['metadata']>>,
    id: fc.uuid(),
    schemaVersion: fc.integer({ min: 1, max: 2_147_483_647 }),
    occurredAt: fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
    correlationId: name,
    causationId: name,
    createdBy: name,
    tags: fc.array(name, { maxLength: 5 }),
  },
  { requiredKeys: ['type', 'data'] },
)
const place = fc.record({
  tenantId: name,
  streamId: name,
  streamType: name,
  version: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
})

describe('the checksum', () => {
  it('is the SHA-256 of the canonical JSON of exactly the contract’s keys, however it is computed', () => {
    fc.assert(
      fc.property(event, place, (input, { tenantId, streamId, streamType, version }) => {
        const write = prepareAppend(tenantId, streamId, [input], {}, limits)
        const prepared = write.events[0] as (typeof write.events)[0]
        const recorded = toRecorded(write, 0, { version, position: 7, recordedAt: new Date(), streamType })
        const covered = {
          id: recorded.id,
          tenantId,
          streamId,
          streamType,
          version,
          type: input.type,
          schemaVersion: input.schemaVersion ?? 1,
          data: recorded.data,
          metadata: recorded.metadata,
          occurredAt: recorded.occurredAt.toISOString(),
          tags: input.tags ?? [],
          ...('correlationId' in input && { correlationId: input.correlationId }),
          ...('causationId' in input && { causationId: input.causationId }),
          ...('createdBy' in input && { createdBy: input.createdBy }),
        }
        const text = reference(covered)
        const { pre, post, tail } = canonicalParts(prepared, tenantId, streamId)
        expect(
          `${pre}${prepared.data},"id":"${prepared.id}","metadata":${prepared.metadata}${post}` +
            `${JSON.stringify(streamType)}${tail}${version}}`,
        ).toBe(text)
        const sha = createHash('sha256').update(String(text)).digest('hex')
        expect(recorded.checksum).toBe(sha)
        expect(checksumOf(recorded)).toBe(sha)
      }),
      { numRuns: 500 },
    )
  })

  // fixed once and for all: stored checksums must stay valid under every later version of this code
  it('of a known event is a known value', () => {
    const known = {
      id: '0192f0c1-7d3e-7c4a-9a51-6f5d3b2a1c00',
      tenantId: 'default',
      streamId: 'acc-1',
      streamType: 'account',
      version: 1,
      type: 'money.deposited',
      schemaVersion: 1,
      data: { amount: '250.00', currency: 'EUR' },
      metadata: {},
      occurredAt: new Date('2026-01-02T03:04:05.678Z'),
      tags: ['branch:7'],
    }
    const text =
      '{"data":{"amount":"250.00","currency":"EUR"},"id":"0192f0c1-7d3e-7c4a-9a51-6f5d3b2a1c00","metadata":{},' +
      '"occurredAt":"2026-01-02T03:04:05.678Z","schemaVersion":1,"streamId":"acc-1","streamType":"account",' +
      '"tags":["branch:7"],"tenantId":"default","type":"money.deposited","version":1}'
    expect(checksumOf(known)).toBe(createHash('sha256').update(text).digest('hex'))
    expect(checksumOf(known)).toBe('3898543faa4be0dddd8c6fe1e955ba6483b05bf057057c915ef3e60d4694e884')
  })

  it('changes with everything that it covers, and with nothing else', () => {
    const base = {
      id: '0192f0c1-7d3e-7c4a-9a51-6f5d3b2a1c00',
      tenantId: 'default',
      streamId: 'acc-1',
      streamType: 'account',
      version: 1,
      type: 'money.deposited',
      schemaVersion: 1,
      data: { a: 1 },
      metadata: {},
      occurredAt: new Date(0),
      tags: ['a', 'b'],
    }
    const changes: object[] = [
      { id: '0192f0c1-7d3e-7c4a-9a51-6f5d3b2a1c01' },
      { tenantId: 'other' },
      { streamId: 'acc-2' },
      { streamType: 'stream' },
      { version: 2 },
      { type: 'money.withdrawn' },
      { schemaVersion: 2 },
      { data: { a: '1' } },
      { metadata: { a: 1 } },
      { occurredAt: new Date(1) },
      { tags: ['b', 'a'] },
      { correlationId: 'c' },
      { causationId: 'c' },
      { createdBy: 'c' },
    ]
    const sums = changes.map((change) => checksumOf({ ...base, ...change }))
    expect(new Set([checksumOf(base), ...sums]).size).toBe(changes.length + 1)
    const elsewhere = { ...base, position: 9, recordedAt: new Date(), sizeBytes: 1, checksum: 'x' }
    expect(checksumOf(elsewhere)).toBe(checksumOf(base))
  })

  it('of data that was tampered with beyond the limits of an append is another one, not an error', () => {
    const deep = JSON.parse(`${'['.repeat(200)}${']'.repeat(200)}`) as unknown
    const recorded = {
      ...toRecorded(prepareAppend('t', 's', [{ type: 'a', data: 1 }], {}, limits), 0, assigned()),
    }
    expect(checksumOf({ ...recorded, data: deep })).not.toBe(recorded.checksum)
  })
})

function assigned() {
  return { version: 1, position: 1, recordedAt: new Date(0), streamType: 'stream' }
}
