import { expect, it } from 'vitest'
import { inline } from '../src/literals.js'
import { positional } from '../src/placeholders.js'
import { statementsOf } from '../src/script.js'
import { fitting, MAX_KEYS, padded } from '../src/sizes.js'

it('takes scripts apart as the command line clients do', () => {
  expect(statementsOf('')).toEqual([])
  expect(statementsOf(' ; ;\n-- only this\n;')).toEqual([])
  expect(statementsOf('select 1;select 2')).toEqual(['select 1', 'select 2'])
  expect(statementsOf(`select ';''\\';', ";""\\";", \`;\` -- ;\n, 1 # ;\n, 2 /* ; */; x`)).toEqual([
    `select ';''\\';', ";""\\";", \`;\` -- ;\n, 1 # ;\n, 2 /* ; */`,
    'x',
  ])
  expect(statementsOf('a;\ndelimiter //\nb; c //\nd;// \ndelimiter ;\ne; f')).toEqual([
    'a',
    'b; c',
    'd;',
    'e',
    'f',
  ])
  expect(statementsOf('/*!80000 select 1 */; /* not */')).toEqual(['/*!80000 select 1 */'])
  expect(statementsOf('select 1 -1; select 2--1')).toEqual(['select 1 -1', 'select 2--1'])
})

it('puts question marks for numbered parameters', () => {
  expect(positional('select $1, $2')).toEqual({ text: 'select ?, ?', order: [0, 1] })
  expect(positional('select $2, $1, $2')).toEqual({ text: 'select ?, ?, ?', order: [1, 0, 1] })
  expect(positional(`select '$1''\\'$1', "$1", \`$1\`, $1 -- $1\n/* $1 */`)).toEqual({
    text: `select '$1''\\'$1', "$1", \`$1\`, ? -- $1\n/* $1 */`,
    order: [0],
  })
})

it('puts values for question marks where nothing can be prepared', () => {
  const text = `select ?, '?', "?", \`?\`, ?, ?, ?, ?`
  expect(inline(text, [1, "it's ü", null, '', Buffer.from([0, 255])])).toBe(
    `select 1, '?', "?", \`?\`, _utf8mb4 x'6974277320c3bc', null, '', x'00ff'`,
  )
})

it('has statements for few sizes only', () => {
  expect([1, 2, 9, 50, 61, 64, 1000].map(fitting)).toEqual([1, 2, 8, 48, 56, 64, 64])
  expect(padded(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'])).toEqual([...'abcdefghii'])
  const lengths = new Set(
    Array.from({ length: 3 * MAX_KEYS }, (_, n) => padded(Array.from({ length: n + 1 }, () => 1)).length),
  )
  expect(lengths.size).toBeLessThan(30)
  for (let left = 64, count = 0; left > 0; left -= fitting(left)) expect(++count).toBeLessThanOrEqual(1)
  for (let rows = 1; rows < 64; rows++) expect(rows - fitting(rows) < 9 || rows >= 56).toBe(true)
})
