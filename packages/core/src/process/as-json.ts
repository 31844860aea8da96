import { canonicalize } from '../canonical.js'
import { InvalidArgumentError, isInvalidEventError } from '../errors.js'
import type { JsonValue } from '../json.js'

/** A copy, once it was checked that it is JSON. `undefined` members are left out. @throws InvalidArgumentError */
export function asJson(value: unknown, path: string): JsonValue {
  try {
    return JSON.parse(canonicalize(withoutUndefined(value), path)) as JsonValue
  } catch (error) {
    if (isInvalidEventError(error)) throw new InvalidArgumentError(error.path, error.reason, error)
    throw error
  }
}

function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined))
}
