import { describe, expect, it } from 'vitest'
import { blocksOf, modulesOf } from '../src/extract.ts'

const page = [
  '# A page',
  '```ts',
  "import 'a'",
  '',
  'one()',
  '```',
  '```sh',
  'ls',
  '```',
  '```ts',
  'two()',
  '```',
]
const source = ['/**', ' * @example', ' * ```ts', " * import 'b'", ' *', ' * three()', ' * ```', ' */']

describe('the examples of a document', () => {
  it('are its blocks of that language', () => {
    expect(blocksOf(page.join('\n'), 'ts')).toEqual([
      { start: 2, lines: ["import 'a'", '', 'one()'] },
      { start: 10, lines: ['two()'] },
    ])
    expect(blocksOf(page.join('\r\n'), 'sh')).toEqual([{ start: 7, lines: ['ls'] }])
  })

  it('are found in docstrings, without their margin', () => {
    expect(blocksOf(source.join('\n'), 'ts')).toEqual([{ start: 3, lines: ["import 'b'", '', 'three()'] }])
  })

  it('keep their line numbers, and go on in one module until the next import', () => {
    const [module, ...others] = modulesOf(blocksOf(page.join('\n'), 'ts'))
    expect(others).toEqual([])
    expect(module?.split('\n')).toEqual(['', '', "import 'a'", '', 'one()', '', '', '', '', '', 'two()', ''])
    expect(
      modulesOf([...blocksOf(page.join('\n'), 'ts'), ...blocksOf(source.join('\n'), 'ts')]),
    ).toHaveLength(2)
  })

  it('must end', () => {
    expect(() => blocksOf('```ts\none()', 'ts')).toThrow('does not end')
  })
})
