import assert from 'node:assert/strict'
import { isInvalidArgumentError, isInvalidEventError } from '../src/index.js'

/** The path and reason with which a call is refused as an invalid event. */
export function invalidEvent(call: () => unknown): { path: string; reason: string } {
  const error = caught(call)
  assert.ok(isInvalidEventError(error), `expected an InvalidEventError, got ${String(error)}`)
  assert.ok(error.message.includes(error.path) && error.message.includes(error.reason))
  return { path: error.path, reason: error.reason }
}

/** The argument and message with which a call is refused as an invalid argument. */
export function invalidArgument(call: () => unknown): { argument: string; message: string } {
  const error = caught(call)
  assert.ok(isInvalidArgumentError(error), `expected an InvalidArgumentError, got ${String(error)}`)
  return { argument: error.argument, message: error.message }
}

function caught(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new assert.AssertionError({ message: 'expected the call to be refused' })
}
