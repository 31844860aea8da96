import type { RetryPolicy } from './retry-policy.js'

/** Whether events of one stream wait for each other. */
export type Ordering = 'none' | 'stream'

/** What follows in a stream whose job has used up its attempts: waits until it is retried or cancelled, or goes on. */
export type OnExhausted = 'block' | 'skip'

/** A target of webhooks, as it is made. */
export interface NewEndpoint {
  /** `https://` or `http://`, to a public address or one of `allowNetworks`. */
  url: string
  /** Event types, exact or prefixes ending in `.*`; `['*']`, or absent: all. */
  events?: readonly string[] | undefined
  description?: string | undefined
  /** Sent along with each request; stored encrypted, and never given back. */
  customHeaders?: Readonly<Record<string, string>> | undefined
  /** Of a whole attempt; as `createWebhooks` was told when absent. */
  timeoutMs?: number | undefined
  /** After the first attempt; as many as the schedule has when absent. 0 is one attempt. */
  maxRetries?: number | undefined
  /** When to try again; 5 s, 5 min, 30 min, 2, 5, 10, 14, 20, 24 h when absent. */
  retry?: RetryPolicy | undefined
  /** `'none'` when absent; cannot be changed later. */
  ordering?: Ordering | undefined
  /** For `ordering: 'stream'`; `'block'` when absent. */
  onExhausted?: OnExhausted | undefined
  /** Requests at a time, over all workers; 10 when absent. Fewer are made until the endpoint has shown that it answers. */
  maxConcurrency?: number | undefined
  /** Requests per second, over all workers; no limit when absent. */
  rateLimit?: number | undefined
  /** A signing secret of your own (`whsec_…`, `whsk_…`), or which kind to make; `'hmac'` when absent. */
  secret?: string | undefined
}

/** What may be changed of an endpoint. `undefined` leaves it; `rateLimit: null` lifts the limit. */
export type EndpointChanges =
  Omit<NewEndpoint, 'ordering' | 'secret' | 'rateLimit'> extends infer Changeable
    ? { [Key in keyof Changeable]?: Changeable[Key] } & { rateLimit?: number | null | undefined }
    : never

/** Events that an endpoint missed while it was disabled: positions, both inclusive. */
export interface Gap {
  readonly from: number
  readonly to: number
}

export interface Endpoint {
  readonly id: string
  /** Absent for one that gets the events of all tenants. */
  readonly tenantId?: string
  readonly url: string
  readonly events: readonly string[]
  readonly description: string
  /** Their values are secret. */
  readonly headerNames: readonly string[]
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly retry: RetryPolicy
  readonly ordering: Ordering
  readonly onExhausted: OnExhausted
  readonly maxConcurrency: number
  readonly rateLimit?: number
  readonly enabled: boolean
  /** `'disabled'` by hand, `'gone'` after a 410, `'failing'` after failing for too long. */
  readonly disabledReason?: string
  readonly disabledAt?: Date
  /** What it missed while it was disabled, until it is replayed. */
  readonly gap?: Gap
  readonly createdAt: Date
  readonly updatedAt: Date
}
