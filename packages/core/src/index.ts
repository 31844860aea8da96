// events
export { newEvent } from './event.js'
export type { NewEvent, RecordedEvent } from './event.js'
export type { JsonObject, JsonValue } from './json.js'
export { checksumOf } from './checksum.js'
export type { ChecksummedEvent } from './checksum.js'

// the store
export type * from './event-store.js'
export type { ExpectedVersion } from './expected-version.js'

// errors
export * from './errors.js'

// the adapter kit: for those who write a store, not for those who use one
export { satisfies } from './expected-version.js'
export { canonicalize } from './canonical.js'
export type { CanonicalLimits } from './canonical.js'
export { canonicalParts } from './checksum.js'
export type { CanonicalParts } from './checksum.js'
export { prepareAppend, prepareAppendMany } from './prepare.js'
export type { PreparedWrite, SizeLimits } from './prepare.js'
export type { PreparedEvent } from './prepare-event.js'
export { toRecorded } from './recorded.js'
export type { Assigned } from './recorded.js'
export { nameProblem, textProblem } from './names.js'
