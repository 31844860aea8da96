import { describe } from '../describe.js'
import { InvalidArgumentError } from '../errors.js'
import { resolveFilter } from '../event-filter.js'
import type { JsonValue } from '../json.js'
import {
  copyOptions,
  flag,
  namesOf,
  oneOf,
  optionalFunction,
  present,
  wholeNumber,
} from '../option-values.js'
import type { Given } from '../option-values.js'
import type {
  BatchHandler,
  ErrorAction,
  EventHandler,
  EventTypes,
  Projection,
  ProjectionDefinition,
  RetryPolicy,
} from './projection.js'

const definitionNames = namesOf<ProjectionDefinition>({
  name: true,
  version: true,
  handles: true,
  batch: true,
  types: true,
  allTenants: true,
  shards: true,
  tables: true,
  setUp: true,
  reset: true,
  takeOver: true,
  onError: true,
})
const policyNames = namesOf<RetryPolicy>({ retries: true, backoffMs: true, then: true })
const actions: readonly ErrorAction[] = ['stop', 'skip', 'park']

/**
 * Declares a read model: which events it folds, how, and what becomes of an event that cannot be handled. What the
 * handlers write with `tx.client` commits together with the checkpoint, so that each event counts exactly once.
 *
 * @throws InvalidArgumentError for unknown options, values out of range, and neither or both of `handles` and `batch`.
 *
 * @example
 * ```ts
 * import { defineProjection } from '@varve/core'
 *
 * interface Sql {
 *   query(text: string, values: unknown[]): Promise<unknown>
 * }
 *
 * export const stock = defineProjection<Sql, { 'inventory.stock_adjusted': { item: string; delta: number } }>({
 *   name: 'inventory_stock',
 *   handles: {
 *     'inventory.stock_adjusted': async ({ data }, tx) => {
 *       await tx.client.query('update stock set quantity = quantity + $1 where item = $2', [data.delta, data.item])
 *     },
 *   },
 * })
 * ```
 */
export function defineProjection<Client = unknown, Events extends EventTypes = Record<string, JsonValue>>(
  definition: ProjectionDefinition<Client, Events>,
): Projection<Client> {
  const given = copyOptions<ProjectionDefinition>(definition, definitionNames, 'projection')
  const handles = handlers<Client>(given.handles)
  const batch = optionalFunction(given.batch, 'projection.batch') as BatchHandler<Client> | undefined
  if ((given.handles === undefined) === (batch === undefined)) {
    throw new InvalidArgumentError(
      'projection',
      'has either handles, by event type, or one handler named batch',
    )
  }
  if (batch === undefined && given.types !== undefined) {
    throw new InvalidArgumentError('projection.types', 'goes with batch; handles name their types themselves')
  }
  const { types } = resolveFilter(
    batch === undefined ? { types: Object.keys(handles) } : { types: given.types },
  )
  return Object.freeze({
    ...present({
      batch,
      types,
      setUp: optionalFunction(given.setUp, 'projection.setUp'),
      reset: optionalFunction(given.reset, 'projection.reset'),
      takeOver: optionalFunction(given.takeOver, 'projection.takeOver'),
    }),
    name: projectionName(given.name),
    version: wholeNumber(given.version, 'projection.version', 1, { min: 1, max: 1_000_000 }),
    handles,
    allTenants: flag(given.allTenants, 'projection.allTenants', false),
    shards: wholeNumber(given.shards, 'projection.shards', 1, { min: 1, max: 256 }),
    tables: tableNames(given.tables),
    onError: errorPolicy(given.onError),
  })
}

/** @throws InvalidArgumentError */
export function projectionName(value: unknown, argument = 'projection.name'): string {
  if (typeof value === 'string' && /^[A-Za-z0-9_.-]{1,100}$/.test(value)) return value
  throw new InvalidArgumentError(
    argument,
    `must be 1 to 100 letters, digits, '_', '-' and '.', is ${describe(value)}`,
  )
}

function handlers<Client>(value: unknown): Readonly<Record<string, EventHandler<Client>>> {
  if (value === undefined) return Object.freeze({})
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(
      'projection.handles',
      `must be an object of functions, is ${describe(value)}`,
    )
  }
  const entries = Object.entries(value).filter(([, handler]) => handler !== undefined)
  for (const [type, handler] of entries) {
    if (typeof handler === 'function') continue
    throw new InvalidArgumentError(
      `projection.handles['${type}']`,
      `must be a function, is ${describe(handler)}`,
    )
  }
  return Object.freeze(Object.assign(Object.create(null) as object, Object.fromEntries(entries)))
}

function tableNames(value: unknown): readonly string[] {
  if (value === undefined) return Object.freeze([])
  if (!Array.isArray(value))
    throw new InvalidArgumentError('projection.tables', `must be an array, is ${describe(value)}`)
  return Object.freeze(
    value.map((name: unknown, index) => {
      if (typeof name === 'string' && /^([a-z_][a-z0-9_]{0,49}\.)?[a-z_][a-z0-9_]{0,49}$/i.test(name))
        return name
      const wanted =
        'must be a name of letters, digits and underscores, at most 50, with a schema before it or none'
      throw new InvalidArgumentError(`projection.tables[${index}]`, `${wanted}, is ${describe(name)}`)
    }),
  )
}

function errorPolicy(value: unknown): Readonly<RetryPolicy> {
  if (value === undefined || typeof value === 'string') {
    return Object.freeze({
      retries: 0,
      backoffMs: 0,
      then: oneOf(value, 'projection.onError', actions, 'stop'),
    })
  }
  const given: Given<RetryPolicy> = copyOptions<RetryPolicy>(value, policyNames, 'projection.onError')
  return Object.freeze({
    retries: wholeNumber(given.retries, 'projection.onError.retries', 0, { max: 1_000 }),
    backoffMs: wholeNumber(given.backoffMs, 'projection.onError.backoffMs', 100, { max: 60_000 }),
    then: oneOf(given.then, 'projection.onError.then', actions, 'stop'),
  })
}
