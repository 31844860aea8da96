import { AssertionError } from 'node:assert'
import { describe, expect, it } from 'vitest'
import { defineAggregate, defineCommand, eventData } from '../src/index.js'
import { given } from '../src/testing/index.js'

const events = { deposited: eventData<{ cents: number }>(), withdrawn: eventData<{ cents: number }>() }

const account = defineAggregate({
  type: 'account',
  events,
  initialState: 0,
  evolve: (cents, { type, data }) => (type === 'deposited' ? cents + data.cents : cents - data.cents),
})

class Refused extends Error {}

const withdraw = (cents: number) => (balance: number) => {
  if (cents > balance) throw new Refused(`${cents} are more than ${balance}`)
  return [{ type: 'withdrawn' as const, data: { cents }, tags: ['out'] }]
}

const transfer = defineCommand({
  events,
  streams: ({ from, to }: { from: string; to: string; cents: number }) => [from, to],
  initialState: (): Readonly<Record<string, number>> => ({}),
  evolve: (sums, { streamId, type, data }) => {
    const cents = type === 'deposited' ? data.cents : -data.cents
    return { ...sums, [streamId]: (sums[streamId] ?? 0) + cents }
  },
  decide({ from, to, cents }, sums) {
    if (cents > (sums[from] ?? 0)) throw new Refused('too much')
    const beyond = { streamId: 'elsewhere', events: [] }
    return [
      { streamId: from, events: [{ type: 'withdrawn', data: { cents } }] },
      { streamId: to, events: [{ type: 'deposited', data: { cents } }] },
      ...(cents === 13 ? [beyond] : []),
    ]
  },
})

async function failureOf(scenario: Promise<void>): Promise<AssertionError> {
  const error: unknown = await scenario.then(
    () => undefined,
    (one: unknown) => one,
  )
  if (error instanceof AssertionError) return error
  throw new Error(`expected an AssertionError, got ${String(error)}`)
}

const ten = { type: 'deposited', data: { cents: 10 } } as const

describe('an aggregate', () => {
  it('decides as expected', async () => {
    expect.assertions(0) // what is not as expected throws
    await given(account, [ten])
      .when(withdraw(4))
      .then([{ type: 'withdrawn', data: { cents: 4 } }])
    await given(account, [ten])
      .when(withdraw(4))
      .then([{ type: 'withdrawn', data: { cents: 4 }, tags: ['out'] }])
    await given(account, [ten]).when(withdraw(4)).thenState(6)
    await given(account, [ten, ten]).thenState(20)
    await given(account)
      .when(() => undefined)
      .then([])
    await given(account).when(withdraw(4)).then(new Refused('4 are more than 0'))
    await given(account).when(withdraw(4)).then(Refused)
    await given(account)
      .when(withdraw(4))
      .then(/more than 0/)
  })

  it.each([
    ['other data', [{ type: 'withdrawn', data: { cents: 5 } }], 'cents: 5'],
    ['a tag that was not given', [{ type: 'withdrawn', data: { cents: 4 }, tags: ['in'] }], "'in'"],
    ['an event too few', [], "type: 'withdrawn'"],
    ['an event too many', [ten, ten], 'deposited'],
  ] as const)('says what differs: %s', async (_, expected, part) => {
    const { message } = await failureOf(
      given(account, [ten])
        .when(withdraw(4))
        .then([...expected]),
    )
    expect(message).toContain('the events are not those expected')
    expect(message).toContain(part)
    expect(message).toMatch(/^[+-] /m)
  })

  it('says when it was refused, or was not', async () => {
    const refused = await failureOf(given(account).when(withdraw(4)).then([]))
    expect(refused.message).toBe('it was refused: Error: 4 are more than 0')
    expect(refused.cause).toBeInstanceOf(Refused)
    const decided = await failureOf(given(account, [ten]).when(withdraw(4)).then(Refused))
    expect(decided.message).toContain('it should have been refused')
    const otherwise = await failureOf(given(account).when(withdraw(4)).then(new Refused('too much')))
    expect(otherwise.message).toContain('expected Error: too much')
    await failureOf(given(account).when(withdraw(4)).then(TypeError))
    await failureOf(given(account).when(withdraw(4)).then(/less/))
    await failureOf(given(account, [ten]).thenState(11))
  })

  it('does not wait for ever when it is awaited without an expectation', async () => {
    // what an await does; the compiler refuses it
    await expect(Promise.resolve<unknown>(given(account).when(withdraw(4)))).rejects.toThrow('.then(')
  })
})

describe('a command', () => {
  const past = { a: [ten] }

  it('decides as expected', async () => {
    expect.assertions(0) // what is not as expected throws
    const command = { from: 'a', to: 'b', cents: 4 }
    await given(transfer, past)
      .when(command)
      .then({
        a: [{ type: 'withdrawn', data: { cents: 4 } }],
        b: [{ type: 'deposited', data: { cents: 4 } }],
        c: [],
      })
    await given(transfer, past)
      .when({ ...command, cents: 11 })
      .then(new Refused('too much'))
  })

  it('says what differs', async () => {
    const command = { from: 'a', to: 'b', cents: 4 }
    const { message } = await failureOf(
      given(transfer, past)
        .when(command)
        .then({ a: [{ type: 'withdrawn', data: { cents: 4 } }] }),
    )
    expect(message).toContain('b:')
    await failureOf(
      given(transfer, past)
        .when(command)
        .then({ a: [], b: [ten] }),
    )
  })

  it('writes to no stream that it did not declare', async () => {
    expect.assertions(0)
    await given(transfer, { a: [ten, ten] })
      .when({ from: 'a', to: 'b', cents: 13 })
      .then(/elsewhere/)
  })
})
