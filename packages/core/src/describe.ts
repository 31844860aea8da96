/** A value as an error message shows it: short, and never a value's whole content. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `${JSON.stringify(value.slice(0, 40))}…` : JSON.stringify(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'boolean':
    case 'undefined':
      return String(value)
    case 'object':
      if (value === null) return 'null'
      return Array.isArray(value) ? 'an array' : describeObject(value)
    default:
      return `a ${typeof value}`
  }
}

/** `an object`, or `an instance of Date`. */
export function describeObject(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (typeof prototype !== 'object' || prototype === null || prototype === Object.prototype)
    return 'an object'
  const maker = 'constructor' in prototype ? prototype.constructor : undefined
  const name = typeof maker === 'function' ? maker.name : ''
  return name === '' || name === 'Object' ? 'an object' : `an instance of ${name}`
}
