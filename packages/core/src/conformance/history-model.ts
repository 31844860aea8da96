import type { ExpectedVersion } from '../expected-version.js'
import { satisfies } from '../expected-version.js'

/** One write of a history: `ids` says which events, `[]` that it only checks. */
export interface ModelWrite {
  readonly streamId: string
  readonly ids: readonly string[]
  readonly expectedVersion: ExpectedVersion
}

export type Operation =
  | { readonly kind: 'append'; readonly writes: readonly ModelWrite[] }
  | { readonly kind: 'archive' | 'restore'; readonly streamId: string }

/** What became of an operation, in words that can be compared: versions and the duplicate flag, or the error. */
export type Outcome = string

interface ModelStream {
  readonly ids: readonly string[]
  readonly archived: boolean
}

/** A store as simple as it can be: lists of ids. Never changed, each step gives a new one. */
export type Model = ReadonlyMap<string, ModelStream>

/** Applies an operation: the outcomes that the contract allows for it here (all leaving the same state), and the state. */
export function apply(model: Model, operation: Operation): { outcomes: readonly Outcome[]; next: Model } {
  if (operation.kind === 'append') return append(model, operation.writes)
  const stream = model.get(operation.streamId)
  if (stream === undefined) return { outcomes: ['VARVE_STREAM_NOT_FOUND'], next: model }
  const archived = operation.kind === 'archive'
  return { outcomes: ['done'], next: new Map(model).set(operation.streamId, { ...stream, archived }) }
}

function append(model: Model, writes: readonly ModelWrite[]): { outcomes: readonly Outcome[]; next: Model } {
  const real = writes.filter(({ ids }) => ids.length > 0)
  const stored = new Set([...model.values()].flatMap(({ ids }) => ids))
  const errors: Outcome[] = []
  if (real.some(({ ids }) => ids.some((id) => stored.has(id)))) {
    if (real.every(({ streamId, ids }) => isRun(model.get(streamId)?.ids ?? [], ids))) {
      const ends = real.map(
        ({ streamId, ids }) => (model.get(streamId)?.ids.indexOf(ids.at(-1) ?? '') ?? 0) + 1,
      )
      return { outcomes: [`duplicate ${ends.join()}`], next: model }
    }
    // of two errors, a race may show either
    errors.push('VARVE_DUPLICATE_EVENT')
  }
  const next = new Map(model)
  for (const { streamId, ids, expectedVersion } of writes) {
    const stream = model.get(streamId) ?? { ids: [], archived: false }
    if (ids.length > 0 && stream.archived) errors.push(`VARVE_STREAM_ARCHIVED ${streamId}`)
    if (!satisfies(expectedVersion, stream.ids.length)) {
      errors.push(`VARVE_CONCURRENCY ${streamId} ${stream.ids.length}`)
    }
    if (ids.length > 0) next.set(streamId, { ...stream, ids: [...stream.ids, ...ids] })
  }
  if (errors.length > 0) return { outcomes: errors, next: model }
  const versions = real.map(({ streamId }) => next.get(streamId)?.ids.length)
  return { outcomes: [`stored ${versions.join()}`], next }
}

/** Whether `part` stands in `whole`, in this order and without anything in between. */
function isRun(whole: readonly string[], part: readonly string[]): boolean {
  const start = whole.indexOf(part[0] ?? '')
  return start >= 0 && part.every((id, index) => whole[start + index] === id)
}

/** The states after each order of concurrent operations that explains what became of them; none: there is no such order. */
export function explain(model: Model, steps: readonly { operation: Operation; outcome: Outcome }[]): Model[] {
  if (steps.length === 0) return [model]
  return steps.flatMap(({ operation, outcome }, index) => {
    const { outcomes, next } = apply(model, operation)
    return outcomes.includes(outcome) ? explain(next, steps.toSpliced(index, 1)) : []
  })
}
