import { InvalidArgumentError } from '@varve/core'

/** There is no such endpoint, or none that this handle may see. */
export function noEndpoint(id: unknown): InvalidArgumentError {
  return new InvalidArgumentError('endpointId', `there is no endpoint ${text(id)}`)
}

/** There is no such job, or none that this handle may see. */
export function noJob(id: unknown): InvalidArgumentError {
  return new InvalidArgumentError('jobId', `there is no job ${text(id)}`)
}

function text(id: unknown): string {
  return typeof id === 'string' ? `'${id.slice(0, 100)}'` : `of type ${typeof id}`
}
