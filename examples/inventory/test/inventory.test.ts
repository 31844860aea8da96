import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { given } from '@varve/core/testing'
import { describe, expect, it } from 'vitest'
import { makeInput } from '../scripts/make-input.ts'
import { readExpected } from '../src/expected.ts'
import { readInput } from '../src/input.ts'
import { adjust, create, item } from '../src/item.ts'
import { databases } from './databases.ts'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))

// a process of its own, on the built packages, as somebody who tries the example starts it
function run(...args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, ...args], (_, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, output: stdout + stderr })
    })
  })
}

it('the committed input is the generated one', () => {
  const { lines, expected } = makeInput()
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(readInput())
  expect(readExpected()).toEqual(expected)
})

// oxlint-disable vitest/expect-expect -- what is not as expected throws
describe('an item', () => {
  const created = { type: 'inventory.item.created', data: { name: 'bolt' } } as const
  const moved = (delta: number) =>
    ({ type: 'inventory.item.stock_adjusted', data: { delta, reason: 'count' } }) as const

  it('is created once', async () => {
    await given(item).when(create('bolt')).then([created])
    await given(item, [created]).when(create('nut')).then(new Error('there is such an item already'))
  })

  it('gives what it has, and not more', async () => {
    await given(item, [created, moved(5)])
      .when(adjust(-5, 'count'))
      .then([moved(-5)])
    await given(item, [created, moved(5)])
      .when(adjust(-6, 'count'))
      .then([{ type: 'inventory.item.adjustment_rejected', data: { delta: -6, reason: 'count' } }])
  })

  it('is not moved by nothing, nor before it exists', async () => {
    expect(() => adjust(0, 'count')).toThrow('a movement moves something')
    await given(item).when(adjust(1, 'count')).then(new Error('there is no such item'))
  })
})

it.each(Object.keys(databases))(
  'comes out as expected on %s, and again on the same database',
  async (name) => {
    const database = await databases[name]?.()
    if (database === undefined) throw new Error(`there is no database '${name}'`)
    try {
      for (let time = 0; time < 2; time++) {
        const { code, output } = await run(`--url=${database.url}`)
        expect({ code, output }).toMatchObject({
          code: 0,
          output: expect.stringContaining('All expectations hold'),
        })
      }
    } finally {
      await database.drop()
    }
  },
  120_000,
)
