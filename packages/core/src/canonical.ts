import { describe, describeObject } from './describe.js'
import { InvalidEventError } from './errors.js'
import { textProblem } from './names.js'
import { memberPath } from './value-path.js'

export interface CanonicalLimits {
  /** How many arrays and objects may lie in each other, the outermost one counted; 30 when absent. */
  maxDepth?: number
  /** UTF-8 bytes of a key; 1,024 when absent. */
  maxKeyBytes?: number
  /**
   * Stops with an error at `maxBytesPath` once the text is certainly longer than this (every UTF-16 code unit takes a byte
   * at least): an object that is shared thirty times over would otherwise fill the memory before anybody could measure it.
   */
  maxBytes?: number
  maxBytesPath?: string
}

/** The arrays and objects around the value under way, for paths and cycles: nothing is kept that an error would not need. */
interface Frame {
  readonly container: object
  readonly parent: Frame | undefined
  key: string | number
}

interface Walk {
  readonly path: string
  readonly maxDepth: number
  readonly maxKeyBytes: number
  readonly maxBytes: number
  readonly maxBytesPath: string
}

const FEW_KEYS = 20
const MAX_LABELS = 2_000
const labels = new Map<string, string>()

/**
 * The canonical JSON text of a value (RFC 8785: keys by UTF-16 code units, numbers as ECMAScript writes them, no white
 * space), after checking that it is a value that JSON gives back deep-equal. One pass, and every property is read exactly
 * once: a getter is taken at the one value it gave, as nothing later can see another one. Properties that are not
 * enumerable are invisible, as they are to `JSON.stringify`; `toJSON` is never called.
 *
 * @param path what the value is called in errors: `events[2].data`
 * @throws InvalidEventError naming the path within the value, for anything that JSON cannot hold or the limits refuse.
 */
export function canonicalize(value: unknown, path: string, limits: CanonicalLimits = {}): string {
  return write(value, undefined, 1, {
    path,
    maxDepth: limits.maxDepth ?? 30,
    maxKeyBytes: limits.maxKeyBytes ?? 1024,
    maxBytes: limits.maxBytes ?? Infinity,
    maxBytesPath: limits.maxBytesPath ?? path,
  })
}

function write(value: unknown, parent: Frame | undefined, depth: number, walk: Walk): string {
  switch (typeof value) {
    case 'string':
      return quote(value, parent, walk)
    case 'number':
      if (!Number.isFinite(value)) throw refusal(`${value} is no JSON number`, parent, walk)
      return String(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      if (value === null) return 'null'
      if (depth > walk.maxDepth) throw tooDeep(value, parent, walk)
      return Array.isArray(value)
        ? writeArray(value, { container: value, parent, key: 0 }, depth, walk)
        : writeObject(value, { container: value, parent, key: '' }, depth, walk)
    default:
      throw refusal(`${describe(value)} is no JSON value${remedyFor(value)}`, parent, walk)
  }
}

function remedyFor(value: unknown): string {
  if (typeof value === 'bigint') return ': write it as a string'
  return value === undefined ? ': leave it out, or write null' : ''
}

function writeArray(array: readonly unknown[], frame: Frame, depth: number, walk: Walk): string {
  // the prototype of arrays is an array itself, in every realm; that of a subclass is not
  const prototype: unknown = Object.getPrototypeOf(array)
  if (prototype !== Array.prototype && !Array.isArray(prototype)) {
    throw refusal(`${describeObject(array)} would come back as a plain array`, frame.parent, walk)
  }
  const length = array.length
  let text = '['
  for (let index = 0; index < length; index++) {
    frame.key = index
    if (index > 0) text += ','
    text += write(array[index], frame, depth + 1, walk)
    if (text.length > walk.maxBytes) throw tooLarge(walk)
  }
  // a hole was refused above as undefined, so more keys than elements means other properties
  if (Object.keys(array).length > length) {
    throw refusal('an array with properties besides its elements would lose them', frame.parent, walk)
  }
  refuseSymbols(array, frame, walk)
  return `${text}]`
}

function writeObject(object: object, frame: Frame, depth: number, walk: Walk): string {
  if (!isPlain(object)) {
    throw refusal(
      `${describeObject(object)} would come back as a plain object or a string${object instanceof Date ? ': write its toISOString()' : ''}`,
      frame.parent,
      walk,
    )
  }
  refuseSymbols(object, frame, walk)
  const keys = sorted(Object.keys(object))
  const values = object as Record<string, unknown>
  let text = '{'
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string
    frame.key = key
    if (key.length * 3 > walk.maxKeyBytes && Buffer.byteLength(key) > walk.maxKeyBytes) {
      throw refusal(
        `the key has ${Buffer.byteLength(key)} UTF-8 bytes, at most ${walk.maxKeyBytes} are allowed`,
        frame,
        walk,
      )
    }
    text += index === 0 ? label(key, frame, walk) : `,${label(key, frame, walk)}`
    text += write(values[key], frame, depth + 1, walk)
    if (text.length > walk.maxBytes) throw tooLarge(walk)
  }
  return `${text}}`
}

/** In the order of their UTF-16 code units. By hand, and in place, where they are few: `sort` takes 600 bytes to begin with. */
function sorted(keys: string[]): string[] {
  // no comparer: that is the default order of strings
  if (keys.length > FEW_KEYS) return keys.toSorted()
  for (let index = 1; index < keys.length; index++) {
    const key = keys[index] as string
    let to = index
    for (; to > 0 && (keys[to - 1] as string) > key; to--) keys[to] = keys[to - 1] as string
    keys[to] = key
  }
  return keys
}

/** A key as it stands before its value. Events of a type have the same ones, so those that come first are kept. */
function label(key: string, frame: Frame, walk: Walk): string {
  const known = labels.get(key)
  if (known !== undefined) return known
  const text = `${quote(key, frame, walk)}:`
  if (labels.size < MAX_LABELS && key.length < 64) labels.set(key, text)
  return text
}

function quote(text: string, parent: Frame | undefined, walk: Walk): string {
  if (text.length < 64) {
    let index = 0
    for (; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code < 0x20 || code === 0x22 || code === 0x5c || (code >= 0xd800 && code <= 0xdfff)) break
    }
    if (index === text.length) return `"${text}"`
  }
  const problem = textProblem(text)
  if (problem !== undefined) throw refusal(problem, parent, walk)
  return JSON.stringify(text)
}

/** From any realm: `Object.prototype` is the only prototype that has none itself and knows `isPrototypeOf`. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype === Object.prototype || prototype === null) return true
  return (
    typeof prototype === 'object' &&
    Object.getPrototypeOf(prototype) === null &&
    Object.hasOwn(prototype, 'isPrototypeOf')
  )
}

function refuseSymbols(container: object, frame: Frame, walk: Walk): void {
  if (Object.getOwnPropertySymbols(container).length > 0) {
    throw refusal('properties whose key is a symbol would be lost', frame.parent, walk)
  }
}

function tooDeep(value: object, parent: Frame | undefined, walk: Walk): InvalidEventError {
  // a cycle is always too deep at some point, so only here anybody needs to look for one
  let cycle: Frame | undefined
  for (
    let frame = parent, inner = value;
    frame !== undefined;
    inner = frame.container, frame = frame.parent
  ) {
    for (let outer: Frame | undefined = frame; outer !== undefined; outer = outer.parent) {
      if (outer.container === inner) cycle = frame
    }
  }
  return cycle === undefined
    ? refusal(`nested deeper than ${walk.maxDepth} levels`, parent, walk)
    : refusal('a cycle: the value contains itself', cycle, walk)
}

function tooLarge(walk: Walk): InvalidEventError {
  return new InvalidEventError(walk.maxBytesPath, `larger than ${walk.maxBytes} bytes as JSON`)
}

function refusal(reason: string, frame: Frame | undefined, walk: Walk): InvalidEventError {
  const keys: (string | number)[] = []
  for (let at = frame; at !== undefined; at = at.parent) keys.unshift(at.key)
  return new InvalidEventError(keys.reduce(memberPath, walk.path), reason)
}
