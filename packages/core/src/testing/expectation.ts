import assert from 'node:assert/strict'

/** An error that is expected: one like this, of this class, or whose message matches. */
export type ExpectedError = Error | RegExp | (abstract new (...args: never[]) => Error)

/** What a scenario came to: the decision, or what was thrown instead. */
export type Outcome<Decision> = { readonly decision: Decision } | { readonly error: unknown }

export async function outcomeOf<Decision>(decide: () => Promise<Decision>): Promise<Outcome<Decision>> {
  try {
    return { decision: await decide() }
  } catch (error) {
    if (error instanceof ImpossiblePast) throw error
    return { error }
  }
}

/** The events that were given are not as they were defined: no outcome, but a mistake of the test. */
export class ImpossiblePast extends Error {
  constructor(cause: unknown) {
    super(`the given events could not have been appended: ${describeActual(cause)}`, { cause })
    this.name = 'ImpossiblePast'
  }
}

export function isExpectedError(expected: unknown): expected is ExpectedError {
  return expected instanceof Error || expected instanceof RegExp || typeof expected === 'function'
}

/** @throws AssertionError unless the outcome is such an error. */
export function expectError(outcome: Outcome<unknown>, expected: ExpectedError): void {
  if (!('error' in outcome)) {
    return fail('it should have been refused, but it was decided', outcome.decision, describeError(expected))
  }
  const { error } = outcome
  if (matches(error, expected)) return undefined
  return fail('it was refused for another reason', describeActual(error), describeError(expected), error)
}

/** @throws AssertionError with a difference to be read, unless both are deeply equal. */
export function expectEqual(headline: string, actual: unknown, expected: unknown): void {
  try {
    assert.deepStrictEqual(actual, expected)
  } catch (error) {
    if (!(error instanceof assert.AssertionError)) throw error
    fail(`${headline}\n${withoutHeadline(error.message)}`, actual, expected)
  }
}

/** The decision of an outcome that should have one. */
export function decisionOf<Decision>(outcome: Outcome<Decision>): Decision {
  if ('decision' in outcome) return outcome.decision
  return fail(`it was refused: ${describeActual(outcome.error)}`, undefined, undefined, outcome.error)
}

function matches(error: unknown, expected: ExpectedError): boolean {
  if (expected instanceof RegExp) return error instanceof Error && expected.test(error.message)
  if (typeof expected === 'function') return error instanceof expected
  if (!(error instanceof Error)) return false
  const own = ({ ...rest }: Error) => ({ ...rest, name: undefined, stack: undefined })
  return (
    error === expected ||
    (error.name === expected.name && error.message === expected.message && same(own(error), own(expected)))
  )
}

function same(a: unknown, b: unknown): boolean {
  try {
    assert.deepStrictEqual(a, b)
    return true
  } catch {
    return false
  }
}

function describeActual(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

function describeError(expected: ExpectedError): string {
  if (expected instanceof RegExp) return `an error whose message matches ${String(expected)}`
  return typeof expected === 'function' ? `an error of class ${expected.name}` : describeActual(expected)
}

function withoutHeadline(message: string): string {
  return message.slice(message.indexOf('\n') + 1)
}

function fail(message: string, actual: unknown, expected: unknown, cause?: unknown): never {
  const more = typeof expected === 'string' ? `\n  expected ${expected}\n  got      ${show(actual)}` : ''
  const error = new assert.AssertionError({
    message: `${message}${more}`,
    actual,
    expected,
    operator: 'then',
  })
  if (cause !== undefined) error.cause = cause
  throw error
}

function show(value: unknown): string {
  return typeof value === 'string'
    ? value
    : JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? `${inner}n` : inner))
}
