import { newEvent, prepareAppend, resolveStoreOptions } from '@varve/core'
import { expect, test } from 'vitest'
import { Appender } from '../src/append.js'
import type { Dialect } from '../src/dialect.js'
import type { SqlDriver, SqlFailure } from '../src/driver.js'

class Failure extends Error {
  readonly kind: SqlFailure['kind']

  constructor(kind: SqlFailure['kind']) {
    super(kind)
    this.kind = kind
  }
}

/** An appender over a database whose answers are failures of these kinds, the last one again and again. */
function failing(...kinds: SqlFailure['kind'][]) {
  const fail = async (): Promise<never> => {
    throw new Failure((kinds.length > 1 ? kinds.shift() : kinds[0]) ?? 'other')
  }
  const classify = (error: unknown): SqlFailure =>
    error instanceof Failure ? { kind: error.kind, detail: error.message } : { kind: 'other', detail: '' }
  const options = resolveStoreOptions({ retry: { attempts: 2, baseDelayMs: 1 } })
  const appender = new Appender({
    driver: { query: fail, classify } as unknown as SqlDriver,
    dialect: {
      flushes: 1,
      append: { flush: fail },
      table: (name: string) => name,
      eventColumns: '*',
      streamColumns: '*',
      filter: { anyOf: () => '1 = 1' },
      decode: {},
    } as unknown as Dialect,
    options,
    inline: undefined,
  })
  return (streamId: string) => {
    const event = newEvent({ type: 't', data: 0 })
    const append = appender.append(prepareAppend('default', streamId, [event], undefined, options))
    return append.then(
      () => 'stored',
      (error: unknown) => error,
    )
  }
}

test('what shared a flush whose answer was lost is in doubt, also when each append is repeated by itself', async () => {
  // stored by the first try; the second one meets the ids; then the database is gone
  const append = failing('lost', 'unique', 'unreachable')
  for (const outcome of await Promise.all([append('a'), append('b')])) {
    expect(outcome).toMatchObject({ code: 'VARVE_UNAVAILABLE', outcome: 'unknown' })
  }
})

test('where nothing was sent, nothing is in doubt', async () => {
  const append = failing('unreachable')
  for (const outcome of await Promise.all([append('a'), append('b')])) {
    expect(outcome).toMatchObject({ code: 'VARVE_UNAVAILABLE', outcome: 'not-applied' })
  }
})
