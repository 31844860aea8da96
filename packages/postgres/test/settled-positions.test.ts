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

test('looks follow each other, also when one is asked for at the very moment when the one before has ended', async () => {
  const answers: (() => void)[] = []
  const looks = [
    { high: 10, writers: '{1/1}' },
    { high: 11, writers: '{1/1}' },
    // 2/1 has appended meanwhile, and holds a position below 20
    { high: 20, writers: '{1/1,2/1}' },
    { high: 20, writers: '{2/1}' },
  ]
  const driver = {
    query: (text: string) => {
      if (!text.includes('pg_locks')) return Promise.resolve([['0']])
      const { high, writers } = looks.shift() ?? { high: 0, writers: '{}' }
      return new Promise((resolve) => {
        answers.push(() => resolve([[String(high), writers, 'f', '1 1']]))
      })
    },
  } as unknown as Pick<SqlDriver, 'query'>
  const settled = new SettledPositions(driver, namesIn('varve', 'jsonb'))
  const soon = () => new Promise((resolve) => setImmediate(resolve))
  const askAgain = async () => {
    await settled.look()
    return { last: settled.look() }
  }
  const first = askAgain()
  const second = settled.look()
  await soon()
  answers.shift()?.()
  const { last } = await first
  await soon()
  // answers that cross would strike those from the newer look that the older one has not seen
  while (answers.length > 0) answers.pop()?.()
  await Promise.all([second, last])
  const third = settled.look()
  await soon()
  while (answers.length > 0) answers.pop()?.()
  await third
  expect((await third).settled).toBeLessThan(20)
})
