import { describe, expect, it } from 'vitest'
import * as varve from '../src/index.js'
import {
  ConcurrencyError,
  isConcurrencyError,
  isEventStoreError,
  satisfies,
  StoreUnavailableError,
} from '../src/index.js'

const errors = [
  [
    'ConcurrencyError',
    new varve.ConcurrencyError({ tenantId: 't', streamId: 's', expectedVersion: 1, actualVersion: 2 }),
  ],
  ['DuplicateEventError', new varve.DuplicateEventError('id', 'elsewhere')],
  ['InvalidEventError', new varve.InvalidEventError('events[0]', 'bad')],
  ['InvalidArgumentError', new varve.InvalidArgumentError('limit', 'bad')],
  ['StreamArchivedError', new varve.StreamArchivedError('s')],
  ['StreamNotFoundError', new varve.StreamNotFoundError('s')],
  ['TenantMismatchError', new varve.TenantMismatchError('a', 'b')],
  ['SerializationError', new varve.SerializationError(1, 'bad')],
  ['ChecksumMismatchError', new varve.ChecksumMismatchError(1, 'bad')],
  ['PartitionError', new varve.PartitionError('bad')],
  ['MigrationError', new varve.MigrationError('bad')],
  ['StoreUnavailableError', new varve.StoreUnavailableError('bad')],
  ['UndeclaredStreamError', new varve.UndeclaredStreamError('s')],
  ['UnknownEventTypeError', new varve.UnknownEventTypeError('a', [])],
  ['SchemaValidationError', new varve.SchemaValidationError('a', [{ message: 'bad', path: ['x'] }])],
  ['TransactionConflictError', new varve.TransactionConflictError('bad')],
  ['StoreClosedError', new varve.StoreClosedError()],
  ['LeaseLostError', new varve.LeaseLostError('bad')],
  ['CheckpointAheadError', new varve.CheckpointAheadError('bad')],
  ['ForeignLogError', new varve.ForeignLogError('bad')],
  ['ProjectionFaultedError', new varve.ProjectionFaultedError('stock', 'bad')],
] as const

const guards = Object.entries(varve).filter((entry): entry is [string, (error: unknown) => boolean] =>
  /^is[A-Z].*Error$/.test(entry[0]),
)

describe('errors', () => {
  it('are all here', () => {
    const classes = Object.keys(varve).filter(
      (name) => /^[A-Z].*Error$/.test(name) && name !== 'EventStoreError',
    )
    expect(errors.map(([name]) => name).toSorted()).toStrictEqual(classes.toSorted())
    expect(guards).toHaveLength(classes.length + 1)
    expect(new Set(errors.map(([, error]) => error.code)).size).toBe(classes.length)
  })

  it.each(errors)('%s has its name, and no guard but its own takes it', (name, error) => {
    expect(error.name).toBe(name)
    const taken = guards.filter(([, guard]) => guard(error)).map(([guardName]) => guardName)
    expect(taken.toSorted()).toStrictEqual(['isEventStoreError', `is${name}`].toSorted())
  })

  it('are retryable where the same again may succeed', () => {
    const retryable = errors.filter(([, error]) => error.retryable).map(([name]) => name)
    expect(retryable).toStrictEqual(['StoreUnavailableError', 'TransactionConflictError', 'LeaseLostError'])
  })

  it('are known by their code, across copies of the package', () => {
    const foreign = Object.assign(new Error('from elsewhere'), {
      code: 'VARVE_CONCURRENCY',
      retryable: false,
    })
    expect(isConcurrencyError(foreign)).toBe(true)
    expect(isEventStoreError(Object.assign(new Error('pg'), { code: '40001' }))).toBe(false)
    expect(isEventStoreError({ code: 'VARVE_CONCURRENCY', retryable: false })).toBe(false)
    expect(isEventStoreError(undefined)).toBe(false)
  })

  it('say what was wrong and what to do', () => {
    const details = {
      tenantId: 't',
      streamId: 'acc-1',
      expectedVersion: 'stream-exists',
      actualVersion: 0,
    } as const
    const error = new ConcurrencyError(details)
    expect(error).toMatchObject(details)
    expect(error.message).toContain("Stream 'acc-1' of tenant 't' is at version 0 (it does not exist)")
    expect(error.message).toContain("expected 'stream-exists'")
    const cause = new Error('socket')
    const unavailable = new StoreUnavailableError('gone', { outcome: 'unknown', eventIds: ['a'], cause })
    expect(unavailable).toMatchObject({ outcome: 'unknown', eventIds: ['a'], cause })
    expect(new StoreUnavailableError('gone')).toMatchObject({ outcome: 'not-applied', eventIds: [] })
    expect('blocker' in unavailable).toBe(false)
  })
})

describe('satisfies', () => {
  it.each([
    ['any', [true, true, true]],
    ['no-stream', [true, false, false]],
    ['stream-exists', [false, true, true]],
    [0, [true, false, false]],
    [1, [false, true, false]],
    [2, [false, false, true]],
  ] as const)('%s of streams at 0, 1 and 2', (expected, outcomes) => {
    expect([0, 1, 2].map((actual) => satisfies(expected, actual))).toStrictEqual(outcomes)
  })
})
