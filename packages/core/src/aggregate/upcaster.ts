import { describe } from '../describe.js'
import { InvalidArgumentError } from '../errors.js'
import type { RecordedEvent } from '../event.js'
import { copyOptions, namesOf, requiredFunction, requiredName, wholeNumber } from '../option-values.js'

/** One step of an event's data from an older shape to a newer one. */
export interface UpcasterDefinition<From, To> {
  /** Of the event. */
  type: string
  /** The `schemaVersion` that it takes. */
  from: number
  /** The `schemaVersion` that it gives; higher than `from`. */
  to: number
  /** Gives the data in the newer shape; must not change what it is given. */
  upcast: (data: From, event: RecordedEvent) => To | Promise<To>
}

/** An upcaster that was checked by `defineUpcaster`. */
export interface Upcaster {
  readonly type: string
  readonly from: number
  readonly to: number
  readonly upcast: (data: unknown, event: RecordedEvent) => unknown
}

const names = namesOf<UpcasterDefinition<unknown, unknown>>({
  type: true,
  from: true,
  to: true,
  upcast: true,
})

/**
 * Declares how data of an older `schemaVersion` becomes data of a newer one when it is read; what is stored stays as it is.
 * Upcasters of one type chain: from 1 to 2, from 2 to 3. The newest `to` is the version in which new events are appended.
 *
 * @throws InvalidArgumentError
 *
 * @example
 * ```ts
 * import { defineUpcaster } from '@varve/core'
 *
 * export const inCents = defineUpcaster({
 *   type: 'money.deposited',
 *   from: 1,
 *   to: 2,
 *   upcast: (old: { amount: string }) => ({ cents: Math.round(Number(old.amount) * 100) }),
 * })
 * ```
 */
export function defineUpcaster<From, To>(definition: UpcasterDefinition<From, To>): Upcaster {
  const given = copyOptions<UpcasterDefinition<From, To>>(definition, names, 'upcaster')
  const from = wholeNumber(given.from ?? null, 'upcaster.from', 1, { min: 1 })
  const to = wholeNumber(given.to ?? null, 'upcaster.to', 2, { min: from + 1 })
  const upcast = requiredFunction(given.upcast, 'upcaster.upcast')
  return Object.freeze({
    type: requiredName(given.type, 'upcaster.type'),
    from,
    to,
    upcast: upcast as Upcaster['upcast'],
  })
}

/** The upcasters of one event type. */
export interface Chain {
  /** The version in which events are appended, and to which they are read. */
  readonly newest: number
  /** By the version that they take. */
  readonly steps: ReadonlyMap<number, Upcaster>
}

const noSteps: Chain = { newest: 1, steps: new Map() }

/** @throws InvalidArgumentError for what `defineUpcaster` did not give. */
export function checkedUpcasters(given: unknown): readonly Upcaster[] {
  if (given === undefined) return []
  if (!Array.isArray(given))
    throw new InvalidArgumentError('upcasters', `must be an array, is ${describe(given)}`)
  return given.map((one: unknown, index) => {
    const { type, from, to, upcast } = (one ?? {}) as Partial<Upcaster>
    if (typeof upcast === 'function' && typeof type === 'string' && Number(from) < Number(to))
      return one as Upcaster
    throw new InvalidArgumentError(
      `upcasters[${index}]`,
      `must be what defineUpcaster gives, is ${describe(one)}`,
    )
  })
}

/** Chains for the defined types. @throws InvalidArgumentError for chains with gaps, forks or unknown types. */
export function chainsOf(types: readonly string[], upcasters: readonly Upcaster[]): (type: string) => Chain {
  const chains = new Map<string, { newest: number; steps: Map<number, Upcaster> }>()
  for (const upcaster of upcasters) {
    const { type, from, to } = upcaster
    if (!types.includes(type))
      throw refused(`'${type}' is none of the events: ${types.join(', ') || 'there are none'}`)
    const chain = chains.get(type) ?? { newest: 1, steps: new Map<number, Upcaster>() }
    if (chain.steps.has(from)) throw refused(`there are two of '${type}' from version ${from}`)
    chain.steps.set(from, upcaster)
    chain.newest = Math.max(chain.newest, to)
    chains.set(type, chain)
  }
  for (const [type, { newest, steps }] of chains) {
    for (const { from, to } of steps.values()) {
      if (to === newest || steps.has(to)) continue
      throw refused(`that of '${type}' from ${from} leads to ${to}, from where none leads on to ${newest}`)
    }
  }
  return (type) => chains.get(type) ?? noSteps
}

function refused(reason: string): InvalidArgumentError {
  return new InvalidArgumentError('upcasters', reason)
}
