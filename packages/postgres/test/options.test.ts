import pg from 'pg'
import { expect, test } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'
import type { PostgresEventStoreOptions } from '../src/index.js'

const refusal = (options: PostgresEventStoreOptions): unknown => {
  try {
    createPostgresEventStore(options)
  } catch (error) {
    return error
  }
  return undefined
}

test.each([
  'localhost:5432/shop',
  'app:secret@localhost/shop',
  'postgres://app:secret@localhost:port/shop',
  'postgres://app:secret@[x/shop',
])(
  'a connection string that cannot be read is refused at once, without showing it: %s',
  (connectionString) => {
    const error = refusal({ connectionString })
    expect(error).toMatchObject({ code: 'VARVE_INVALID_ARGUMENT', argument: 'connectionString' })
    expect((error as Error).message).not.toContain('secret')
  },
)

test.each([
  'postgres://app@localhost/shop',
  'postgresql:///shop?host=/run/postgresql',
  'socket:/run/pg?db=shop',
  '/run/pg shop',
])('what pg can read is taken: %s', async (connectionString) => {
  const store = createPostgresEventStore({ connectionString, pool: { min: 0 } })
  await expect(store.close()).resolves.toBeUndefined()
})

test.each(['a$varve$b', '{{events}}', ''])(
  'a schema of a name that the migrations could not bear is refused: %s',
  (schema) => {
    expect(refusal({ connectionString: 'postgres://localhost/shop', schema })).toMatchObject({
      argument: 'schema',
    })
  },
)

test('a pool that is null is an option that is missing', () => {
  expect(refusal({ pool: null } as unknown as PostgresEventStoreOptions)).toMatchObject({
    code: 'VARVE_INVALID_ARGUMENT',
  })
})

test('a mistyped option of this adapter is told from the right one', () => {
  const connectionString = 'postgres://localhost/shop'
  const mistyped = (options: object): unknown => refusal(options)
  for (const [name, meant] of [
    ['connectionstring', 'connectionString'],
    ['shema', 'schema'],
    ['datatype', 'dataType'],
  ] as const) {
    expect(mistyped({ connectionString, [name]: 'x' })).toMatchObject({
      argument: name,
      message: expect.stringContaining(`did you mean '${meant}'?`) as string,
    })
  }
})

test('no options at all are as good as none', () => {
  expect(refusal(undefined as never)).toMatchObject({ argument: 'connectionString' })
})

test('a client in place of a pool is refused', () => {
  const pool = new pg.Client() as unknown as pg.Pool
  expect(refusal({ pool })).toMatchObject({ code: 'VARVE_INVALID_ARGUMENT', argument: 'pool' })
})
