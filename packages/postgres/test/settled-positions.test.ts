import type { SqlDriver } from '@varve/sql'
import pg from 'pg'
import { expect, test, vi } from 'vitest'
import { namesIn } from '../src/names.js'
import { SettledPositions } from '../src/settled.js'

/** What the server says at each look, without a server. */
function scripted(
  looks: { high: number; writers?: string; server?: string }[],
  noted: () => Promise<never[]>,
) {
  const recalled: string[] = []
  const driver = {
    query: async (text: string) => {
      if (text.startsWith('update')) return noted()
      if (!text.includes('pg_locks')) {
        recalled.push(text)
        return [['0']]
      }
      const { high, writers = '{}', server = '1 1' } = looks.shift() ?? { high: 0 }
      return [[String(high), writers, 'f', server]]
    },
  } as unknown as Pick<SqlDriver, 'query'>
  return { settled: new SettledPositions(driver, namesIn('varve', 'jsonb')), recalled }
}

const silently = async () => []

test('another server, or another table, begins anew: positions may be handed out again', async () => {
  const { settled, recalled } = scripted(
    [
      { high: 1000 },
      // restored from a backup, and grown beyond what was settled; somebody has 900 under way
      { high: 1200, writers: '{3/1}', server: '2 1' },
      { high: 1200, writers: '{3/1}', server: '2 1' },
      { high: 1300, server: '2 1' },
    ],
    silently,
  )
  expect(await settled.look()).toEqual({ settled: 1000, high: 1000 })
  expect(await settled.look()).toEqual({ settled: 0, high: 1200 })
  expect(await settled.look()).toEqual({ settled: 0, high: 1200 })
  expect(await settled.look()).toEqual({ settled: 1300, high: 1300 })
  expect(recalled).toHaveLength(2)
})

test('a log that has become shorter settles nothing that it does not hold', async () => {
  const { settled } = scripted(
    [
      { high: 100 },
      { high: 200, writers: '{3/1}' },
      { high: 50, writers: '{3/1,4/1}' },
      { high: 60, writers: '{4/1}' },
    ],
    silently,
  )
  for (const expected of [100, 100, 0, 0]) expect((await settled.look()).settled).toBe(expected)
})

test('a role that may not note the settled position tries it once', async () => {
  const refused = Object.assign(new pg.DatabaseError('permission denied', 0, 'error'), { code: '42501' })
  const noted = vi.fn<() => Promise<never[]>>(() => Promise.reject(refused))
  const { settled } = scripted([{ high: 1 }, { high: 2 }, { high: 3 }], noted)
  const clock = vi.spyOn(performance, 'now')
  for (const now of [10_000, 20_000, 30_000]) {
    clock.mockReturnValue(now)
    await settled.look()
  }
  clock.mockRestore()
  expect(noted).toHaveBeenCalledTimes(1)
})
