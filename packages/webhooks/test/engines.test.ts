import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { engines } from './support/engines.js'

test('the suite runs on every engine', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.test.ts'))
  const names = files.flatMap((name) =>
    [...readFileSync(new URL(name, import.meta.url), 'utf8').matchAll(/^webhooksOn\('(.*)'\)$/gm)].map(
      ([, engine]) => engine,
    ),
  )
  expect(new Set(names)).toEqual(new Set(Object.keys(engines)))
})
