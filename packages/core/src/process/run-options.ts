import { describe } from '../describe.js'
import { InvalidArgumentError } from '../errors.js'
import { copyOptions, namesOf, optionalFunction } from '../option-values.js'
import { runNames } from '../projection/run-options.js'
import { warn } from '../warn.js'
import type { AnyProcess } from './process.js'
import type { ProcessFailure, ProcessRunOptions } from './process-admin.js'

const names = new Set([...runNames, ...namesOf<Pick<ProcessRunOptions, 'onFailure'>>({ onFailure: true })])

export type ResolvedProcessRun = ProcessRunOptions & Required<Pick<ProcessRunOptions, 'onFailure'>>

/** Checks the processes and options of `processes.run`; those of `projections.run` are checked there. @throws InvalidArgumentError */
export function resolveProcessRun(
  processes: readonly AnyProcess[],
  options?: ProcessRunOptions,
): ResolvedProcessRun {
  if (!Array.isArray(processes) || processes.length === 0)
    throw new InvalidArgumentError('processes', 'must be an array of at least one process')
  const seen = new Set<string>()
  for (const [index, process] of (processes as readonly AnyProcess[]).entries()) {
    if (typeof process?.correlate !== 'function' || typeof process.decode !== 'function') {
      const wanted = 'must be what defineProcess gives; projections are run by store.projections.run'
      throw new InvalidArgumentError(`processes[${index}]`, `${wanted}, is ${describe(process)}`)
    }
    if (seen.has(process.name))
      throw new InvalidArgumentError('processes', `'${process.name}' is among them twice`)
    seen.add(process.name)
  }
  const given = copyOptions<ProcessRunOptions>(options, names) as ProcessRunOptions
  const onFailure = optionalFunction(given.onFailure, 'onFailure') as ProcessRunOptions['onFailure']
  return { ...given, onFailure: onFailure ?? warnOfFailure }
}

function warnOfFailure({ process, correlationId, command, attempt, error }: ProcessFailure): void {
  const what = command === undefined ? 'what it emits' : `command '${command}'`
  warn(
    'VARVE_PROCESS',
    `Process '${process}', correlation '${correlationId}': ${what} failed in try ${attempt}`,
    error,
  )
}
