import { readFileSync } from 'node:fs'
import type { JsonValue } from '@varve/core'

export interface InputEvent {
  readonly id: string
  readonly streamId: string
  readonly type: string
  readonly data: JsonValue
}

/** The committed events, in their order. */
export function readInput(): InputEvent[] {
  const text = readFileSync(new URL('../input/events.jsonl', import.meta.url), 'utf8')
  return text.split(/\r?\n/).flatMap((line) => (line === '' ? [] : [JSON.parse(line) as InputEvent]))
}
