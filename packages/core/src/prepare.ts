import { describe } from './describe.js'
import { InvalidArgumentError, InvalidEventError } from './errors.js'
import type { AppendOptions, StreamWrite } from './event-store.js'
import type { NewEvent } from './event.js'
import type { ExpectedVersion } from './expected-version.js'
import { refuseUnknown } from './known-names.js'
import { checkedName, prepareEvent, type PreparedEvent } from './prepare-event.js'

export interface PreparedWrite {
  readonly tenantId: string
  readonly streamId: string
  readonly streamType: string | undefined
  readonly expectedVersion: ExpectedVersion
  readonly events: readonly PreparedEvent[]
  /** Sum over the events. */
  readonly bytes: number
}

export interface SizeLimits {
  /** UTF-8 bytes of an event's data and metadata. */
  readonly maxEventBytes: number
  /** The same, of all events of one call. */
  readonly maxAppendBytes: number
}

const optionNames = { expectedVersion: true, streamType: true } satisfies Record<keyof AppendOptions, true>
const writeNames = { streamId: true, events: true, ...optionNames } satisfies Record<keyof StreamWrite, true>
const knownOptions: ReadonlySet<string> = new Set(Object.keys(optionNames))
const knownInWrite: ReadonlySet<string> = new Set(Object.keys(writeNames))

/** What the writes of one call share. */
interface Call {
  readonly tenantId: string
  readonly limits: SizeLimits
  readonly now: number
  /** Where the sum of sizes is refused. */
  readonly path: string
  bytes: number
  /** The ids that the caller gave, and where. */
  readonly ids: Map<string, string>
}

/**
 * Checks and copies what `append` was called with.
 *
 * @throws InvalidEventError for anything in the events, names or sizes, for `[]`.
 * @throws InvalidArgumentError for the options.
 */
export function prepareAppend(
  tenantId: string,
  streamId: string,
  events: readonly NewEvent[],
  options: AppendOptions | undefined,
  limits: SizeLimits,
): PreparedWrite {
  const call = beginCall(tenantId, limits, 'events')
  const given = checkedObject(options ?? {}, 'options', knownOptions)
  const write = prepareWrite({ ...pick(given), streamId, events }, '', call)
  if (write.events.length === 0) {
    throw new InvalidEventError(
      'events',
      'must hold an event at least; appendMany takes a write of none as a check',
    )
  }
  return write
}

/**
 * Checks and copies what `appendMany` was called with; a write without events is a check of its stream.
 *
 * @throws InvalidEventError for anything in the events, names or sizes, and for an id that is given twice.
 * @throws InvalidArgumentError for anything else, for `[]`, and when a stream is named twice.
 */
export function prepareAppendMany(
  tenantId: string,
  writes: readonly StreamWrite[],
  limits: SizeLimits,
): PreparedWrite[] {
  if (!Array.isArray(writes))
    throw new InvalidArgumentError('writes', `must be an array, is ${describe(writes)}`)
  if (writes.length === 0) throw new InvalidArgumentError('writes', 'must name a stream at least')
  const call = beginCall(tenantId, limits, 'writes')
  const streams = new Map<string, number>()
  return Array.from(writes as readonly unknown[], (input, index) => {
    const path = `writes[${index}]`
    const given = checkedObject(input, path, knownInWrite)
    const write = prepareWrite({ ...pick(given), streamId: given.streamId, events: given.events }, path, call)
    const earlier = streams.get(write.streamId)
    if (earlier !== undefined) {
      throw new InvalidArgumentError(
        `${path}.streamId`,
        `stream '${write.streamId}' is named by writes[${earlier}] too; put its events into one write`,
      )
    }
    streams.set(write.streamId, index)
    return write
  })
}

function prepareWrite(
  given: { [name in keyof StreamWrite]: unknown },
  path: string,
  call: Call,
): PreparedWrite {
  const prefix = path === '' ? '' : `${path}.`
  const streamId = checkedName(given.streamId, path, 'streamId')
  const streamType =
    given.streamType === undefined ? undefined : checkedName(given.streamType, path, 'streamType')
  const expectedVersion = checkedExpectation(given.expectedVersion, `${prefix}expectedVersion`)
  if (!Array.isArray(given.events)) {
    throw new InvalidEventError(`${prefix}events`, `must be an array, is ${describe(given.events)}`)
  }
  const before = call.bytes
  const inputs: readonly unknown[] = given.events
  const length = inputs.length
  const events: PreparedEvent[] = []
  for (let index = 0; index < length; index++) {
    const eventPath = `${prefix}events[${index}]`
    const event = prepareEvent(inputs[index], eventPath, call.limits.maxEventBytes, call.now)
    admit(event, eventPath, call)
    events.push(event)
  }
  return {
    tenantId: call.tenantId,
    streamId,
    streamType,
    expectedVersion,
    events,
    bytes: call.bytes - before,
  }
}

function admit(event: PreparedEvent, path: string, call: Call): void {
  if (!event.generatedId) {
    const earlier = call.ids.get(event.id)
    if (earlier !== undefined) throw new InvalidEventError(`${path}.id`, `the same id as that of ${earlier}`)
    call.ids.set(event.id, path)
  }
  call.bytes += event.bytes
  if (call.bytes > call.limits.maxAppendBytes) {
    throw new InvalidEventError(
      call.path,
      `more than ${call.limits.maxAppendBytes} bytes as JSON in one call; append fewer events at a time`,
    )
  }
}

function beginCall(tenantId: string, limits: SizeLimits, path: string): Call {
  checkedName(tenantId, '', 'tenantId')
  return { tenantId, limits, now: Date.now(), path, bytes: 0, ids: new Map() }
}

function checkedObject(
  value: unknown,
  path: string,
  known: ReadonlySet<string>,
): { readonly [name in keyof StreamWrite]?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidArgumentError(path, `must be an object, is ${describe(value)}`)
  }
  refuseUnknown(
    value,
    known,
    (name, hint) =>
      new InvalidArgumentError(
        path === 'options' ? name : `${path}.${name}`,
        `there is no such option; ${hint}`,
      ),
  )
  return value
}

function pick(given: { readonly expectedVersion?: unknown; readonly streamType?: unknown }) {
  return { expectedVersion: given.expectedVersion, streamType: given.streamType }
}

function checkedExpectation(value: unknown, path: string): ExpectedVersion {
  switch (value) {
    case undefined:
      return 'any'
    case 'any':
    case 'no-stream':
    case 'stream-exists':
      return value
    default:
      // -0 is 0 to everybody but Object.is and some drivers
      if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)
        return value === 0 ? 0 : value
      throw new InvalidArgumentError(
        path,
        `must be a version from 0 on, 'any', 'no-stream' or 'stream-exists', is ${describe(value)}`,
      )
  }
}
