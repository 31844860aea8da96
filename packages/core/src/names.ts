/// <reference lib="es2024.string" />
import { describe } from './describe.js'

const MAX_BYTES = 255

/**
 * What is wrong with the name of something (a type, a stream id, a tag …), or undefined: it must be a string of 1 to 255
 * UTF-8 bytes without control characters (C0, DEL, C1) and lone surrogates.
 */
export function nameProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return `must be a string, is ${describe(value)}`
  if (value === '') return 'must not be empty'
  // a UTF-16 code unit takes at least one byte, so what is longer need not be looked at
  if (value.length > MAX_BYTES) return tooLong(value)
  let bytes = value.length
  for (let index = 0; index < value.length; index++) {
    const code = value.charCodeAt(index)
    if (code >= 0x20 && code < 0x7f) continue
    if (code < 0x20 || code <= 0x9f) return `holds the control character ${unicode(code)} at index ${index}`
    if (code < 0x800) bytes += 1
    else if (code < 0xd800 || code > 0xdfff) bytes += 2
    else if (code > 0xdbff || (value.charCodeAt(index + 1) & 0xfc00) !== 0xdc00)
      return loneSurrogate(code, index)
    else {
      bytes += 2
      index += 1
    }
  }
  return bytes > MAX_BYTES ? tooLong(value) : undefined
}

/** What keeps a string from being stored on every engine, or undefined: U+0000 and lone surrogates. */
export function textProblem(text: string): string | undefined {
  const nul = text.indexOf('\0')
  if (nul !== -1) return `holds U+0000 at index ${nul}, which SQL databases cannot store`
  if (text.isWellFormed()) return undefined
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0xd800 || code > 0xdfff) continue
    if (code > 0xdbff || (text.charCodeAt(index + 1) & 0xfc00) !== 0xdc00) return loneSurrogate(code, index)
    index += 1
  }
  return undefined
}

function tooLong(value: string): string {
  return `must be at most ${MAX_BYTES} UTF-8 bytes, has ${Buffer.byteLength(value)}: ${describe(value)}`
}

function loneSurrogate(code: number, index: number): string {
  return `holds the lone surrogate ${unicode(code)} at index ${index}, which is no valid Unicode`
}

function unicode(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`
}
