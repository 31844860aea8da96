export { createWebhooks } from './webhooks.js'
export type { Deliveries, Endpoints, Webhooks } from './webhooks.js'
export type { WebhookAlarm, WebhookOptions, WebhookPayload } from './options.js'
export type { RunWorkerOptions, WebhookWorker } from './run.js'

// endpoints
export type {
  Endpoint,
  EndpointChanges,
  Gap,
  NewEndpoint,
  OnExhausted,
  Ordering,
} from './endpoints/endpoint.js'
export type { EndpointHealth } from './endpoints/endpoint-health.js'
export type { BreakerState } from './endpoints/health-state.js'
export type { RetryPolicy } from './endpoints/retry-policy.js'
export { ENDPOINT_DISABLED } from './endpoints/auto-disable.js'
export type { TestResult } from './send-test.js'

// jobs and attempts
export type { JobFilter, JobStatus, WebhookDelivery, WebhookJob } from './deliveries/job.js'
export type { ReplayOptions } from './deliveries/delivery-admin.js'
export type { Purged, PurgeOptions } from './deliveries/purge.js'
export type { EventReference, Reconciliation, ReconcileOptions } from './reconcile.js'
export type { EndpointStats, StatsOptions } from './stats.js'

// keeping out of one's own network, and secrets at rest
export { createSsrfGuard, SsrfRefusedError } from './guard/guard.js'
export type { ResolvedAddress, SsrfGuard, SsrfGuardOptions } from './guard/guard.js'
export type { EncryptionKey } from './secrets/cipher.js'
export { SecretUnreadableError } from './secrets/cipher.js'
