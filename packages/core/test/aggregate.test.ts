import { describe, expect, it } from 'vitest'
import { conflictDelay } from '../src/aggregate/retry-conflicts.js'
import { isDue, resolveSnapshotPolicy } from '../src/aggregate/snapshot-policy.js'
import { defineAggregate, defineCommand, eventData, newEvent, toNewEvent } from '../src/index.js'
import type { RecordedEvent } from '../src/index.js'
import { invalidArgument } from './refusal.js'

const events = { counted: eventData<{ by: number }>() }
const evolve = (state: { sum: number[] }) => state

describe('defineAggregate', () => {
  it('gives each stream an initial state of its own', () => {
    const initialState = { sum: [] as number[] }
    const aggregate = defineAggregate({ type: 'counter', events, initialState, evolve })
    aggregate.initial().sum.push(1)
    expect([aggregate.initial(), initialState]).toEqual([{ sum: [] }, { sum: [] }])
  })

  it('leaves instances of classes as they are', () => {
    class Sum {
      sum: number[] = []
    }
    const initialState = new Sum()
    const aggregate = defineAggregate({ type: 'counter', events, initialState, evolve: (state) => state })
    expect(aggregate.initial()).toBe(initialState)
    expect(
      defineAggregate({
        type: 'counter',
        events,
        initialState: () => new Sum(),
        evolve: (one) => one,
      }).initial(),
    ).toBeInstanceOf(Sum)
  })

  it.each([
    [{ type: '' }, 'aggregate.type'],
    [{ schemaVersion: 0 }, 'aggregate.schemaVersion'],
    [{ snapshot: { encode: () => 1 } }, 'aggregate.snapshot'],
    [{ evolve: undefined }, 'aggregate.evolve'],
    [{ initial: {} }, 'aggregate.initial'],
  ])('refuses %j', (wrong, argument) => {
    const definition = { type: 'counter', events, initialState: { sum: [] }, evolve, ...wrong } as never
    expect(invalidArgument(() => defineAggregate(definition)).argument).toBe(argument)
  })
})

it('defineCommand refuses what it cannot use', () => {
  const definition = { events, streams: () => ['a'], initialState: 0, evolve: () => 0, decide: () => [] }
  expect(defineCommand(definition).maxStreams).toBe(100)
  expect(invalidArgument(() => defineCommand({ ...definition, maxStreams: 0 })).argument).toBe(
    'command.maxStreams',
  )
  const decide = undefined as unknown as typeof definition.decide
  expect(invalidArgument(() => defineCommand({ ...definition, decide })).argument).toBe('command.decide')
})

it('conflicts are waited for exponentially, each caller at a time of its own', () => {
  const delays = (random: number) => [0, 1, 2, 3].map((attempt) => conflictDelay(10, attempt, () => random))
  expect(delays(0)).toEqual([5, 10, 20, 40])
  expect(delays(0.5)).toEqual([10, 20, 40, 80])
  expect(conflictDelay(10, 60, () => 0)).toBe(2_500)
})

describe('a snapshot is due', () => {
  const due = (policy: object, version: number, snapshotVersion: number, ageMs = 0): boolean => {
    const resolved = resolveSnapshotPolicy(policy, 100)
    return resolved !== undefined && isDue(resolved, { version, snapshotVersion, ageMs })
  }

  it('by the gap since the last one, none counting as one at 0', () => {
    expect([due({}, 1, 0), due({}, 99, 0), due({}, 100, 0), due({}, 137, 0)]).toEqual([
      false,
      false,
      true,
      true,
    ])
    expect([due({}, 200, 101), due({}, 201, 101), due({ every: 10 }, 111, 101)]).toEqual([false, true, true])
  })

  it('by age, but never without new events', () => {
    const hourly = { every: false, maxAgeMs: 1_000 }
    expect([due(hourly, 5_000, 0), due(hourly, 2, 1, 1_000), due(hourly, 2, 2, 9_999)]).toEqual([
      false,
      true,
      false,
    ])
  })

  it('in long streams only, when wanted', () => {
    expect([due({ every: 5, minEvents: 20 }, 19, 0), due({ every: 5, minEvents: 20 }, 20, 0)]).toEqual([
      false,
      true,
    ])
  })

  it('never where there is no policy; wrong ones are refused', () => {
    expect([resolveSnapshotPolicy(undefined, 100), resolveSnapshotPolicy(false, 100)]).toEqual([
      undefined,
      undefined,
    ])
    expect(resolveSnapshotPolicy(true, 50)).toMatchObject({ every: 50, keep: 5, snapshotType: 'state' })
    expect(invalidArgument(() => resolveSnapshotPolicy({ every: 0 }, 100)).argument).toBe('snapshots.every')
    expect(invalidArgument(() => resolveSnapshotPolicy({ evry: 1 } as object, 100)).message).toContain(
      "'every'",
    )
  })
})

describe('toNewEvent', () => {
  const place = {
    tenantId: 't',
    streamId: 's',
    streamType: 'x',
    version: 1,
    position: 2,
    recordedAt: new Date(0),
  }
  const given = newEvent({
    type: 'counted',
    data: { by: 1 },
    metadata: { a: 1 },
    schemaVersion: 3,
    occurredAt: new Date(5),
    tags: ['t'],
  })

  it('gives what was appended, absent properties absent', () => {
    const recorded = { ...given, ...place, sizeBytes: 8, checksum: 'c' } as RecordedEvent
    expect(toNewEvent(recorded)).toStrictEqual(given)
    const named = { ...recorded, correlationId: 'c', causationId: 'd', createdBy: 'e' }
    expect(toNewEvent(named)).toStrictEqual({
      ...given,
      correlationId: 'c',
      causationId: 'd',
      createdBy: 'e',
    })
  })
})
