import type { EventStore } from '@varve/core'
import { InvalidArgumentError, wholeNumber } from '@varve/core'
import type { SsrfGuard } from '../guard/guard.js'
import { newId } from '../ids.js'
import type { Scope } from '../scope.js'
import { headerOwner } from '../secrets/cipher.js'
import type { Cipher } from '../secrets/cipher.js'
import { publicPart } from '../signature/secret.js'
import type { Database } from '../sql/database.js'
import { releaseBlocked } from '../worker/lanes.js'
import type { Endpoint, EndpointChanges, Gap, NewEndpoint } from './endpoint.js'
import { publicEndpoint } from './endpoint-rows.js'
import type { Change, EndpointStore } from './endpoint-store.js'
import { INITIAL_WINDOW } from './health-state.js'
import { raiseRevision } from './revision.js'
import { resolveChanges, resolveNewEndpoint, resolveSecret } from './resolve.js'
import type { EndpointLimits, EndpointSettings } from './resolve.js'
import type { SecretStore } from './secret-store.js'
import { DAY } from './retry-policy.js'

export interface AdminContext {
  readonly store: EventStore
  readonly database: Database
  readonly guard: SsrfGuard
  readonly cipher: Cipher
  readonly endpoints: EndpointStore
  readonly secrets: SecretStore
  readonly limits: EndpointLimits
}

/** Makes, changes and removes the endpoints of a scope. */
export class EndpointAdmin {
  readonly #context: AdminContext
  readonly #scope: Scope

  constructor(context: AdminContext, scope: Scope) {
    this.#context = context
    this.#scope = scope
  }

  /**
   * Makes an endpoint, which gets what is appended from now on. Hand `secret` to the receiver: it verifies with it, and it
   * is not shown again.
   *
   * @throws InvalidArgumentError for settings out of range, or a URL that webhooks may not go to.
   */
  async create(input: NewEndpoint): Promise<{ endpoint: Endpoint; secret: string }> {
    const { store, database, guard, endpoints, secrets, limits } = this.#context
    const settings = resolveNewEndpoint(input, limits)
    const { ordering, secret } = settings
    const url = await guard.check(settings.url as string)
    const id = `ep_${newId()}`
    const { now } = database
    // what is appended after this call has a higher position
    const start = await store.allTenants().lastPosition()
    await database.transaction(async (session) => {
      const revision = await raiseRevision(database, session)
      const columns: Record<string, Change> = {
        id,
        tenant_id: this.#scope.tenantId ?? null,
        ...this.#columns(id, { ...settings, url: url.href }),
        rate_limit: settings.rateLimit ?? null,
        ordering,
        enabled: database.syntax.bool(true),
        start_position: start,
        generation: 0,
        revision,
        created_at: { sql: now },
        updated_at: { sql: now },
      }
      const params = Object.values(columns).filter(
        (value) => typeof value !== 'object' || value === null || !('sql' in value),
      )
      let next = 0
      const values = Object.values(columns).map((value) => {
        return typeof value === 'object' && value !== null && 'sql' in value ? value.sql : `$${++next}`
      })
      await session.query(
        `insert into ${database.endpoints} (${Object.keys(columns).join(', ')}) values (${values.join(', ')})`,
        params as (string | number | null)[],
      )
      await session.query(
        `insert into ${database.health} (endpoint_id, active, revision, breaker_state, breaker_failures, breaker_successes, ` +
          `send_window, tokens) values ($1, $2, $3, 'closed', 0, 0, ${INITIAL_WINDOW}, $4)`,
        [id, database.syntax.bool(true), revision, settings.rateLimit ?? 0],
      )
      await secrets.add(session, id, secret, 0)
    })
    return {
      endpoint: publicEndpoint(await endpoints.get(database.query, this.#scope, id)),
      secret: publicPart(secret),
    }
  }

  async get(id: string): Promise<Endpoint | undefined> {
    const found = await this.#context.endpoints.find(this.#context.database.query, this.#scope, id)
    return found && publicEndpoint(found)
  }

  async list(): Promise<Endpoint[]> {
    return (await this.#context.endpoints.list(this.#context.database.query, this.#scope)).map(publicEndpoint)
  }

  /** Changes settings; jobs that wait go out under the new ones. @throws InvalidArgumentError */
  async update(id: string, changes: EndpointChanges): Promise<Endpoint> {
    const { database, endpoints, guard, limits } = this.#context
    const resolved = resolveChanges(changes, limits)
    const url = resolved.url === undefined ? undefined : (await guard.check(resolved.url as string)).href
    const changed = await endpoints.change(this.#scope, id, async (session, endpoint) => {
      const { rateLimit, ...rest } = resolved
      if (rest.onExhausted === 'skip' && endpoint.onExhausted === 'block') {
        const { health, syntax } = database
        await session.query(`select endpoint_id from ${health} where endpoint_id = $1${syntax.lock}`, [
          endpoint.id,
        ])
        await releaseBlocked(database, session, endpoint.id)
      }
      return {
        ...this.#columns(endpoint.id, { ...rest, ...(url !== undefined && { url }) }),
        ...(rateLimit !== undefined && { rate_limit: rateLimit }),
      }
    })
    return publicEndpoint(changed)
  }

  /** Stops sending. What waits stays; events from now on are missed, and are noted as the endpoint's gap. */
  async disable(id: string): Promise<Endpoint> {
    const { database, endpoints } = this.#context
    const changed = await endpoints.change(this.#scope, id, async (session, endpoint) => {
      await session.query(`update ${database.health} set active = $1 where endpoint_id = $2`, [
        database.syntax.bool(false),
        endpoint.id,
      ])
      if (!endpoint.enabled) return {}
      return {
        enabled: database.syntax.bool(false),
        disabled_reason: 'disabled',
        disabled_at: { sql: database.now },
      }
    })
    return publicEndpoint(changed)
  }

  /**
   * Sends again, beginning with what waits. `gap` is what it missed meanwhile, if anything: hand it to
   * `deliveries.replay({ endpointId, ...gap, onlyMissing: true })`.
   */
  async enable(id: string): Promise<{ endpoint: Endpoint; gap?: Gap }> {
    const { database, endpoints } = this.#context
    const changed = await endpoints.change(this.#scope, id, async (session, endpoint) => {
      const { health, jobs, syntax } = database
      await session.query(
        `update ${health} set active = $1, not_before = null, hold_reason = null, breaker_state = 'closed', breaker_failures = 0, ` +
          `breaker_successes = 0, send_window = ${INITIAL_WINDOW}, failing_since = null, due_at = ` +
          `(select min(next_attempt) from ${jobs} where endpoint_id = $2 and status = 'pending') where endpoint_id = $2`,
        [syntax.bool(true), endpoint.id],
      )
      return { enabled: syntax.bool(true), disabled_reason: null, disabled_at: null }
    })
    const endpoint = publicEndpoint(changed)
    return { endpoint, ...(endpoint.gap !== undefined && { gap: endpoint.gap }) }
  }

  /** Removes it; what waits is cancelled. Its jobs and deliveries stay, as its audit. Twice is no error. */
  async delete(id: string): Promise<void> {
    const { database, endpoints } = this.#context
    if ((await endpoints.find(database.query, this.#scope, id)) === undefined) return
    await endpoints.change(this.#scope, id, async (session, endpoint) => {
      const { health, jobs, secrets, now } = database
      await session.query(
        `update ${jobs} set status = 'cancelled', next_attempt = null, updated_at = ${now} where endpoint_id = $1 and status = 'pending'`,
        [endpoint.id],
      )
      await session.query(`update ${health} set active = $1, due_at = null where endpoint_id = $2`, [
        database.syntax.bool(false),
        endpoint.id,
      ])
      await session.query(`delete from ${secrets} where endpoint_id = $1`, [endpoint.id])
      return { enabled: database.syntax.bool(false), deleted_at: { sql: now }, custom_headers: '{}' }
    })
  }

  /**
   * Gives the endpoint a new secret. Those before it sign along until `overlapMs` have passed (a day when absent), so that
   * the receiver can change over in between. Resolves to what the receiver verifies with.
   */
  async rotateSecret(
    id: string,
    options: { secret?: string; overlapMs?: number } = {},
  ): Promise<{ secret: string }> {
    const secret = resolveSecret(options.secret)
    const overlapMs = wholeNumber(options.overlapMs, 'overlapMs', DAY, { max: 365 * DAY })
    await this.#context.endpoints.change(this.#scope, id, async (session, endpoint) => {
      await this.#context.secrets.add(session, endpoint.id, secret, overlapMs)
      return {}
    })
    return { secret: publicPart(secret) }
  }

  #columns(
    id: string,
    settings: { [Key in keyof EndpointSettings]?: EndpointSettings[Key] },
  ): Record<string, Change> {
    const { cipher } = this.#context
    const headers = settings.customHeaders
    const sealed =
      headers &&
      Object.entries(headers).map(([name, value]) => [name, cipher.encrypt(value, headerOwner(id, name))])
    const columns = {
      url: settings.url as string | undefined,
      event_filter: settings.events && JSON.stringify(settings.events),
      description: settings.description,
      custom_headers: sealed && JSON.stringify(Object.fromEntries(sealed)),
      timeout_ms: settings.timeoutMs,
      max_retries: settings.maxRetries,
      retry_policy: settings.retry && JSON.stringify(settings.retry),
      on_exhausted: settings.onExhausted,
      max_concurrency: settings.maxConcurrency,
    }
    return Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined)) as Record<
      string,
      Change
    >
  }
}

export function refuseUnknownScope(tenantId: unknown): asserts tenantId is string {
  if (typeof tenantId !== 'string' || tenantId === '') {
    throw new InvalidArgumentError('tenantId', 'must be the name of a tenant')
  }
}
