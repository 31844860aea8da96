import { types } from 'node:util'
import { describe } from './describe.js'
import { InvalidArgumentError } from './errors.js'
import { refuseUnknown } from './known-names.js'
import { nameProblem } from './names.js'

/** The options as given, whatever they hold; everything in them is still to be checked. */
export type Given<Options extends object> = Readonly<Partial<Record<keyof Options, unknown>>>

/** The names of all options of a type: a missing one does not compile. */
export function namesOf<Options>(names: Record<keyof Options, true>): ReadonlySet<string> {
  return new Set(Object.keys(names))
}

/**
 * Copies options shallowly, so that each is read once, and refuses names that do not exist: a mistyped filter must not
 * return everything.
 */
export function copyOptions<Options extends object>(
  options: unknown,
  known: ReadonlySet<string>,
  path = 'options',
): Given<Options> {
  if (options === undefined) return {} as Given<Options>
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidArgumentError(path, `must be an object, is ${describe(options)}`)
  }
  refuseUnknown(options, known, (name, hint) => {
    return new InvalidArgumentError(optionPath(path, name), `there is no such option; ${hint}`)
  })
  // by name, as the options may be inherited, from a prototype or a class
  return Object.fromEntries([...known].map((name) => [name, Reflect.get(options, name)])) as Given<Options>
}

/** Top-level options are called by their bare names. */
export function optionPath(path: string, name: string): string {
  return path === 'options' ? name : `${path}.${name}`
}

export interface Range {
  readonly min?: number
  readonly max?: number
}

/** A whole number, from 0 on unless said otherwise; the default when absent. */
export function wholeNumber(value: unknown, argument: string, absent: number, range: Range = {}): number {
  if (value === undefined) return absent
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = range
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max) {
    return value === 0 ? 0 : value
  }
  const upTo = max === Number.MAX_SAFE_INTEGER ? 'on' : `to ${max}`
  throw new InvalidArgumentError(
    argument,
    `must be a whole number from ${min} ${upTo}, is ${describe(value)}`,
  )
}

export function flag(value: unknown, argument: string, absent: boolean): boolean {
  if (value === undefined) return absent
  if (typeof value === 'boolean') return value
  throw new InvalidArgumentError(argument, `must be true or false, is ${describe(value)}`)
}

export function oneOf<const Value extends string>(
  value: unknown,
  argument: string,
  values: readonly Value[],
  absent: Value,
): Value {
  if (value === undefined) return absent
  const found = values.find((known) => known === value)
  if (found !== undefined) return found
  throw new InvalidArgumentError(
    argument,
    `must be ${values.map((known) => `'${known}'`).join(' or ')}, is ${describe(value)}`,
  )
}

export function requiredName(value: unknown, argument: string): string {
  const problem = nameProblem(value)
  if (problem !== undefined) throw new InvalidArgumentError(argument, problem)
  return value as string
}

export function optionalName(value: unknown, argument: string): string | undefined {
  return value === undefined ? undefined : requiredName(value, argument)
}

export function optionalNames(value: unknown, argument: string): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value))
    throw new InvalidArgumentError(argument, `must be an array, is ${describe(value)}`)
  return Array.from(value as readonly unknown[], (item, index) => requiredName(item, `${argument}[${index}]`))
}

export function optionalDate(value: unknown, argument: string): Date | undefined {
  if (value === undefined) return undefined
  if (!types.isDate(value)) throw new InvalidArgumentError(argument, `must be a Date, is ${describe(value)}`)
  const time = Date.prototype.getTime.call(value)
  if (Number.isNaN(time)) throw new InvalidArgumentError(argument, 'must be a valid Date, is an Invalid Date')
  return new Date(time)
}

export function optionalFunction(
  value: unknown,
  argument: string,
): ((...args: never[]) => unknown) | undefined {
  if (value === undefined || typeof value === 'function') return value as undefined
  throw new InvalidArgumentError(argument, `must be a function, is ${describe(value)}`)
}

export function requiredFunction(value: unknown, argument: string): (...args: never[]) => unknown {
  if (typeof value === 'function') return value as (...args: never[]) => unknown
  throw new InvalidArgumentError(argument, `must be a function, is ${describe(value)}`)
}

export function optionalSignal(value: unknown, argument: string): AbortSignal | undefined {
  if (value === undefined) return undefined
  // by its shape: polyfills and other realms have classes of their own
  if (typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value) {
    return value as AbortSignal
  }
  throw new InvalidArgumentError(argument, `must be an AbortSignal, is ${describe(value)}`)
}

/** Leaves out what is undefined, as optional properties are absent rather than undefined. */
export function present<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
