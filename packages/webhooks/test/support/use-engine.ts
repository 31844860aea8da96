import { afterAll, beforeAll } from 'vitest'
import type { Engine } from './engines.js'
import { engines } from './engines.js'

/** Opens an engine for a group of tests. */
export function useEngine(name: string): () => Engine {
  let engine: Engine
  beforeAll(async () => {
    const open = engines[name]
    if (open === undefined) throw new Error(`there is no engine '${name}'`)
    engine = await open()
  })
  afterAll(() => engine.close())
  return () => engine
}
