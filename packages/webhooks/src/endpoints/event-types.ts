import { InvalidArgumentError, optionalNames, splitTypes } from '@varve/core'

const ALL = '*'
const MAX_TYPES = 200

/** @throws InvalidArgumentError */
export function resolveEvents(value: unknown): readonly string[] {
  const types = optionalNames(value, 'events') ?? [ALL]
  if (types.length === 0)
    throw new InvalidArgumentError('events', "must not be empty: nothing would be sent; ['*'] is all")
  if (types.length > MAX_TYPES) throw new InvalidArgumentError('events', `must not be more than ${MAX_TYPES}`)
  types.forEach((type, index) => {
    if (type !== ALL && type.replace(/\.\*$/, '').includes('*')) {
      throw new InvalidArgumentError(
        `events[${index}]`,
        "has a '*' elsewhere than at its end behind a dot: 'order.*'",
      )
    }
    if (type === '.*') throw new InvalidArgumentError(`events[${index}]`, "names no prefix; '*' is all")
  })
  return types.includes(ALL) ? [ALL] : [...new Set(types)]
}

/** Whether an event of the type is wanted; `order.*` wants `order.placed`, not `orders.x` and not `order`. */
export function wants(events: readonly string[], type: string): boolean {
  if (events.includes(ALL) || events.includes(type)) return true
  return splitTypes(events).prefixes.some((prefix) => type.startsWith(prefix))
}

/** As the filter of `readAll`. */
export function typesFilter(events: readonly string[]): { types?: readonly string[] } {
  return events.includes(ALL) ? {} : { types: events }
}
