import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { makeInput } from '../scripts/make-input.ts'
import { readExpected } from '../src/expected.ts'
import { parseLine, readInput } from '../src/input.ts'
import { fromCents, pretty, toCents } from '../src/money.ts'

describe('the input', () => {
  it('is what its generator makes', () => {
    const { lines, expected } = makeInput()
    const committed = readFileSync(new URL('../input/events.jsonl', import.meta.url), 'utf8')
    expect(`${lines.join('\n')}\n`).toBe(committed.replaceAll('\r\n', '\n'))
    expect(readExpected()).toMatchObject(expected)
  })

  it("begins with the documents' two events", () => {
    const aggregateId = 'acc-123e4567-e89b-12d3-a456-426614174000'
    const [created, deposited] = readInput()
    expect(created).toMatchObject({
      id: '550e8400-e29b-41d4-a716-446655440000',
      streamId: aggregateId,
      data: { aggregateId, accountNumber: 'ACC001', initialBalance: '1000.00' },
      metadata: { correlationId: 'corr-001', userId: 'user-123', source: 'banking-service' },
      occurredAt: new Date('2025-01-15 10:30:00+00'),
    })
    expect(deposited).toMatchObject({
      id: '550e8400-e29b-41d4-a716-446655440001',
      streamId: aggregateId,
      data: { aggregateId, amount: '250.00', reference: 'DEP-001' },
      metadata: { correlationId: 'corr-002', userId: 'user-123', source: 'banking-service' },
      occurredAt: new Date('2025-01-15 10:35:00+00'),
    })
  })

  it('keeps all digits of an amount that no float could hold', () => {
    const line = parseLine('{"data":{"amount":90071992547409931.10}}')
    expect(line).toEqual({ data: { amount: '90071992547409931.10' } })
  })
})

describe('money', () => {
  it.each(['0.00', '0.05', '1.10', '-0.05', '90071992547409931.10'])('reads and writes %s', (text) => {
    expect(fromCents(toCents(text))).toBe(text)
  })

  it('adds what floats cannot', () => {
    expect(fromCents(toCents('0.1') + toCents('0.2'))).toBe('0.30')
  })

  it('refuses what is no amount', () => {
    for (const text of ['', '1.', '1.005', '1e3', '.5', 'NaN'])
      expect(() => toCents(text)).toThrow('no amount')
  })

  it('prints thousands apart', () => {
    expect(pretty(toCents('1234567.80'))).toBe('1,234,567.80')
  })
})
