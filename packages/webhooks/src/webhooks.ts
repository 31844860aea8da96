import { InvalidArgumentError } from '@varve/core'
import type { EventStore, HealthReport, MigrationState } from '@varve/core'
import { DeliveryAdmin } from './deliveries/delivery-admin.js'
import { autoDisable } from './endpoints/auto-disable.js'
import { EndpointAdmin } from './endpoints/endpoint-admin.js'
import type { EndpointHealth } from './endpoints/endpoint-health.js'
import { endpointHealth } from './endpoints/endpoint-health.js'
import { EndpointStore } from './endpoints/endpoint-store.js'
import { SecretStore } from './endpoints/secret-store.js'
import { FanOut } from './fan-out/fan-out.js'
import { createSsrfGuard } from './guard/guard.js'
import { Sender } from './http/sender.js'
import { LEASE_MARGIN_MS, resolveOptions } from './options.js'
import type { ResolvedOptions, WebhookOptions } from './options.js'
import { reconcile } from './reconcile.js'
import type { Reconciliation, ReconcileOptions } from './reconcile.js'
import { startWorker } from './run.js'
import type { RunWorkerOptions, WebhookWorker } from './run.js'
import type { Scope } from './scope.js'
import { Cipher } from './secrets/cipher.js'
import { sendTest } from './send-test.js'
import type { TestResult } from './send-test.js'
import { Database, extension } from './sql/database.js'
import { endpointStats } from './stats.js'
import type { EndpointStats, StatsOptions } from './stats.js'
import { webhookHealth } from './webhook-health.js'
import { EndpointCache } from './worker/endpoint-cache.js'

/** Endpoints, with a test and a look at how they are doing. */
export type Endpoints = Pick<
  EndpointAdmin,
  'create' | 'get' | 'list' | 'update' | 'disable' | 'enable' | 'delete' | 'rotateSecret'
> & {
  sendTest(id: string): Promise<TestResult>
  health(id: string): Promise<EndpointHealth>
}

/** Jobs and attempts. */
export type Deliveries = Pick<
  DeliveryAdmin,
  'list' | 'get' | 'retry' | 'cancel' | 'replay' | 'deadLetters' | 'purge'
>

/** Webhooks of one tenant's endpoints, or of all. */
export interface Webhooks {
  /** Of the endpoints that it sees and makes; absent on the handle of all tenants. */
  readonly tenantId?: string
  readonly endpoints: Endpoints
  readonly deliveries: Deliveries
  /** The same for another tenant. @throws InvalidArgumentError on a handle that `forTenant` made, for another one */
  forTenant(tenantId: string): Webhooks
  /** Sees all endpoints; those made through it get the events of all tenants. For operators. */
  allTenants(): Webhooks
  /** Makes the tables; safe from any number of processes at once. Call it after `store.migrate()`. */
  migrate(): Promise<void>
  migrations(): Promise<MigrationState[]>
  /**
   * Turns events into jobs and sends them, for all tenants, until stopped. Start it in as many processes as you like.
   *
   * @throws InvalidArgumentError for a handle of one tenant made by `store.forTenant`.
   */
  run(options?: RunWorkerOptions): WebhookWorker
  stats(options?: StatsOptions): Promise<EndpointStats[]>
  /** Compares the log with the jobs of an endpoint. */
  reconcile(options: ReconcileOptions): Promise<Reconciliation>
  health(): Promise<HealthReport>
  /** Encrypts secrets once more that are not yet under the first of `encryptionKeys`; gives how many. */
  reencrypt(): Promise<number>
  /** Ends its connections. The store stays open. */
  close(): Promise<void>
}

/**
 * Webhooks for a store made by one of varve's SQL adapters.
 *
 * @throws InvalidArgumentError for options that are unknown or out of range, such as a lease that a request outlasts.
 *
 * @example
 * ```ts
 * import { createPostgresEventStore } from '@varve/postgres'
 * import { createWebhooks } from '@varve/webhooks'
 *
 * const store = createPostgresEventStore({ connectionString: 'postgres://app@127.0.0.1/shop' })
 * const webhooks = createWebhooks(store, {
 *   encryptionKeys: [{ id: '2026-11', key: process.env['WEBHOOK_KEY'] ?? '' }],
 * })
 * await store.migrate()
 * await webhooks.migrate()
 * const { secret } = await webhooks.endpoints.create({ url: 'https://example.com/hooks', events: ['order.*'] })
 * const worker = webhooks.run()
 * process.once('SIGTERM', () => void worker.stop())
 * ```
 */
export function createWebhooks<Client>(store: EventStore<Client>, options: WebhookOptions): Webhooks {
  const resolved = resolveOptions(options)
  const plain = store as EventStore
  const database = new Database(plain)
  const cipher = new Cipher(resolved.encryptionKeys)
  const guard = createSsrfGuard({ allowNetworks: resolved.allowNetworks, resolve: resolved.resolve })
  const endpoints = new EndpointStore(database)
  const secrets = new SecretStore(database, cipher)
  const sender = new Sender({ guard, maxResponseBytes: resolved.maxResponseBytes, ca: resolved.ca })
  const parts: WebhookParts = {
    store: plain,
    options: resolved,
    database,
    endpoints,
    secrets,
    sender,
    guard,
    cipher,
    cache: new EndpointCache(endpoints, secrets, cipher),
    fanOut: new FanOut(database, endpoints),
    workers: new Set(),
  }
  return handleOf(parts, { tenantId: plain.tenantId }, false)
}

/** What the handles share. */
export interface WebhookParts {
  readonly store: EventStore
  readonly options: ResolvedOptions
  readonly database: Database
  readonly endpoints: EndpointStore
  readonly secrets: SecretStore
  readonly sender: Sender
  readonly guard: ReturnType<typeof createSsrfGuard>
  readonly cipher: Cipher
  readonly cache: EndpointCache
  readonly fanOut: FanOut
  readonly workers: Set<WebhookWorker & { wake(): void }>
}

function handleOf(parts: WebhookParts, scope: Scope, bound: boolean): Webhooks {
  const { store, options, database, endpoints } = parts
  const limits = { timeoutMs: options.timeoutMs, maxTimeoutMs: options.leaseMs - LEASE_MARGIN_MS }
  const admin = new EndpointAdmin({ ...parts, limits }, scope)
  const wake = (): void => {
    for (const worker of parts.workers) worker.wake()
  }
  const deliveries = new DeliveryAdmin(
    { store, database, endpoints, historyMs: options.historyMs, wake },
    scope,
  )
  return {
    ...(scope.tenantId !== undefined && { tenantId: scope.tenantId }),
    endpoints: {
      create: (input) => admin.create(input),
      get: (id) => admin.get(id),
      list: () => admin.list(),
      update: (id, changes) => admin.update(id, changes),
      disable: (id) => admin.disable(id),
      async enable(id) {
        const enabled = await admin.enable(id)
        wake()
        return enabled
      },
      delete: (id) => admin.delete(id),
      rotateSecret: (id, rotation) => admin.rotateSecret(id, rotation),
      sendTest: (id) => sendTest(parts, scope, id),
      health: (id) => endpointHealth(database, scope, id),
    },
    deliveries,
    forTenant(tenantId) {
      if (typeof tenantId !== 'string' || tenantId === '') {
        throw new InvalidArgumentError('tenantId', 'must be the name of a tenant')
      }
      if (bound && tenantId !== scope.tenantId) {
        throw new InvalidArgumentError('tenantId', 'this handle is bound to another tenant')
      }
      return handleOf(parts, { tenantId }, true)
    },
    allTenants() {
      if (bound) throw new InvalidArgumentError('tenant', 'this handle is bound to one tenant')
      return handleOf(parts, { tenantId: undefined }, false)
    },
    migrate: () => database.access.migrate(extension),
    migrations: () => database.access.state(extension),
    run: (runOptions) => startWorker(parts, (id, reason) => autoDisable(parts, id, reason), runOptions),
    stats: (statsOptions) => endpointStats(database, scope, statsOptions),
    reconcile: (range) =>
      reconcile(database, deliveries, (id) => endpoints.get(database.query, scope, id), range),
    health: () => webhookHealth(database),
    reencrypt: () => parts.secrets.reencrypt(),
    async close() {
      await Promise.all([...parts.workers].map((worker) => worker.stop()))
      await parts.sender.close()
    },
  }
}
