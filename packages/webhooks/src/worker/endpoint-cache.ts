import type { SqlSession } from '@varve/sql'
import type { EndpointStore } from '../endpoints/endpoint-store.js'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import type { SecretStore } from '../endpoints/secret-store.js'
import { headerOwner } from '../secrets/cipher.js'
import type { Cipher } from '../secrets/cipher.js'
import { parseKey } from '../signature/secret.js'
import type { SigningKey } from '../signature/secret.js'
import type { Query } from '../sql/database.js'

/** An endpoint with all that a request to it takes. */
export interface ReadyEndpoint {
  readonly url: URL
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly keys: readonly { readonly key: SigningKey; readonly expiresAt: number }[]
}

/** Endpoints as workers know them: read again when their revision says that they were changed. */
export class EndpointCache {
  readonly #endpoints: EndpointStore
  readonly #secrets: SecretStore
  readonly #cipher: Cipher
  readonly #known = new Map<string, StoredEndpoint>()
  readonly #ready = new Map<string, { revision: number; endpoint: ReadyEndpoint }>()

  constructor(endpoints: EndpointStore, secrets: SecretStore, cipher: Cipher) {
    this.#endpoints = endpoints
    this.#secrets = secrets
    this.#cipher = cipher
  }

  get(id: string): StoredEndpoint | undefined {
    return this.#known.get(id)
  }

  /** Those of `revisions`, as they are now. */
  async load(
    session: SqlSession,
    revisions: ReadonlyMap<string, number>,
  ): Promise<ReadonlyMap<string, StoredEndpoint>> {
    const stale = [...revisions].filter(([id, revision]) => this.#known.get(id)?.revision !== revision)
    if (stale.length > 0) {
      const query: Query = (text, params, map) => session.query(text, params, map)
      const ids = stale.map(([id]) => id)
      for (const endpoint of await this.#endpoints.byIds(query, ids)) this.#known.set(endpoint.id, endpoint)
    }
    return this.#known
  }

  /** @throws SecretUnreadableError when an encryption key is missing. */
  async ready(query: Query, endpoint: StoredEndpoint): Promise<ReadyEndpoint> {
    const known = this.#ready.get(endpoint.id)
    if (known?.revision === endpoint.revision) return known.endpoint
    const secrets = await this.#secrets.live(query, [endpoint.id])
    const ready = {
      url: new URL(endpoint.url),
      headers: Object.entries(endpoint.sealedHeaders).flatMap(([name, sealed]) => [
        name,
        this.#cipher.decrypt(sealed, headerOwner(endpoint.id, name)),
      ]),
      keys: secrets.map(({ sealed, expiresAt }) => ({
        key: parseKey(this.#cipher.decrypt(sealed, endpoint.id)),
        expiresAt: expiresAt?.getTime() ?? Infinity,
      })),
    }
    this.#ready.set(endpoint.id, { revision: endpoint.revision, endpoint: ready })
    return ready
  }

  clear(): void {
    this.#known.clear()
    this.#ready.clear()
  }
}
