import { readFileSync } from 'node:fs'
import type { JsonObject } from '@varve/core'
import type { Command } from './command.ts'

/** A fact recorded elsewhere, stored as it is: there is nothing to decide. */
export interface ImportedEvent {
  readonly event: string
  readonly id: string
  readonly streamId: string
  readonly streamType: string
  readonly version: number
  readonly occurredAt: Date
  readonly data: JsonObject
  readonly metadata: JsonObject & { readonly correlationId: string; readonly userId: string }
}

export type Line = ImportedEvent | Command

const inputFile = new URL('../input/events.jsonl', import.meta.url)

export function readInput(file: URL | string = inputFile): Line[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine)
}

const moneyFields = new Set(['initialBalance', 'amount'])
const timeFields = new Set(['occurredAt', 'at'])

/** Parses a line; an amount that is written as a number keeps its digits: `1000.00` becomes `'1000.00'`, never 1000. */
export function parseLine(text: string): Line {
  return JSON.parse(text, (key, value: unknown, context?: { source?: string }) => {
    if (moneyFields.has(key) && typeof value === 'number') return context?.source
    return timeFields.has(key) && typeof value === 'string' ? new Date(value) : value
  }) as Line
}
