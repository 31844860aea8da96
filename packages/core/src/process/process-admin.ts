import type { JsonValue } from '../json.js'
import type { ProjectionRunner, RunOptions } from '../projection/projection-admin.js'
import type { AnyProcess } from './process.js'

/** A command or event of a process that could not be carried out; it is tried again. */
export interface ProcessFailure {
  readonly process: string
  readonly correlationId: string
  /** Of the command; `undefined` for an event to append, or a timeout to fire. */
  readonly command?: string
  readonly attempt: number
  readonly error: unknown
}

export interface ProcessRunOptions extends RunOptions {
  /** Called when a command fails. What it throws is ignored. When absent, failures are process warnings. */
  onFailure?: (failure: ProcessFailure) => void
}

/** What a process knows of one correlation. */
export interface ProcessInfo {
  readonly process: string
  readonly correlationId: string
  readonly status: 'running' | 'completed'
  readonly state: JsonValue
  /** Commands and events that are still to be carried out, in their order. */
  readonly waiting: readonly {
    readonly command?: string
    readonly attempts: number
    readonly errorMessage?: string
  }[]
  /** By name. */
  readonly timeouts: readonly { readonly name: string; readonly dueAt: Date }[]
}

/** Processes of one tenant. */
export interface ProcessAdmin {
  /**
   * Runs processes until stopped, as `projections.run` does, in as many processes of the operating system as you like.
   * `caughtUp()` waits until there is nothing left to react to or to carry out, timeouts that are not due aside.
   */
  run(processes: readonly AnyProcess[], options?: ProcessRunOptions): ProjectionRunner
  get(process: string, correlationId: string): Promise<ProcessInfo | undefined>
}
