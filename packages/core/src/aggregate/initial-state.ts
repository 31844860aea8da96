import { InvalidArgumentError } from '../errors.js'

/**
 * Makes states to begin with; each fold gets one of its own, so that none that changes it spoils the next one's.
 *
 * @throws InvalidArgumentError where there is none; `undefined` is one, if somebody says so.
 */
export function initialStateOf<State, Arguments extends unknown[]>(
  definition: { readonly initialState: State | ((...args: Arguments) => State) },
  kind: string,
): (...args: Arguments) => State {
  if (!('initialState' in definition)) throw new InvalidArgumentError(`${kind}.initialState`, 'is missing')
  const given = definition.initialState
  if (typeof given === 'function') return given as (...args: Arguments) => State
  return isPlain(given) ? () => structuredClone(given) : () => given
}

/** Whether a copy is as good: classes would lose what they are, functions cannot be copied. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object' || value === null)
    return typeof value !== 'function' && typeof value !== 'symbol'
  if (value instanceof Map) return [...value].flat().every(isPlain)
  if (value instanceof Set) return [...value].every(isPlain)
  if (value instanceof Date) return true
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null) return false
  return Object.values(value).every(isPlain)
}
