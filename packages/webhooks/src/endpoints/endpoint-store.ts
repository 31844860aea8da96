import type { SqlSession, SqlValue } from '@varve/sql'
import { noEndpoint } from '../errors.js'
import { Conditions } from '../scope.js'
import type { Scope } from '../scope.js'
import type { Database, Query } from '../sql/database.js'
import { endpointColumns, endpointDecoder } from './endpoint-rows.js'
import type { StoredEndpoint } from './endpoint-rows.js'
import { raiseRevision } from './revision.js'

/** Endpoints in their table. */
export class EndpointStore {
  readonly #database: Database
  readonly #select: string
  readonly #decode: ReturnType<typeof endpointDecoder>

  constructor(database: Database) {
    this.#database = database
    this.#select = `select ${endpointColumns(database)} from ${database.endpoints}`
    this.#decode = endpointDecoder(database)
  }

  async find(query: Query, scope: Scope, id: unknown): Promise<StoredEndpoint | undefined> {
    if (typeof id !== 'string') return undefined
    const where = new Conditions().add('deleted_at is null')
    where.equal('id', id).equal('tenant_id', scope.tenantId)
    return (await query(this.#select + where.where, where.params, this.#decode))[0]
  }

  /** @throws InvalidArgumentError when there is none. */
  async get(query: Query, scope: Scope, id: unknown): Promise<StoredEndpoint> {
    const found = await this.find(query, scope, id)
    if (found === undefined) throw noEndpoint(id)
    return found
  }

  /** By id; those that are not deleted. */
  list(query: Query, scope: Scope): Promise<StoredEndpoint[]> {
    const where = new Conditions().add('deleted_at is null').equal('tenant_id', scope.tenantId)
    return query(`${this.#select}${where.where} order by id`, where.params, this.#decode)
  }

  /** Also deleted ones, whose jobs may still be under way. */
  byIds(query: Query, ids: readonly string[]): Promise<StoredEndpoint[]> {
    const rows = this.#database.syntax.rows('$1', { endpoint_id: 'text' })
    const params = [JSON.stringify(ids.map((id) => ({ endpoint_id: id })))]
    return query(`${this.#select} where id in (select endpoint_id from ${rows})`, params, this.#decode)
  }

  /** Changes columns in a transaction that tells every worker. `work` runs in it first, with the endpoint as it was. */
  async change(
    scope: Scope,
    id: unknown,
    work: (
      session: SqlSession,
      endpoint: StoredEndpoint,
      revision: number,
    ) => Promise<Readonly<Record<string, Change>>>,
  ): Promise<StoredEndpoint> {
    return this.#database.transaction((session) => this.changeWithin(session, scope, id, work))
  }

  /** As `change`, in a transaction that is open already. */
  async changeWithin(
    session: SqlSession,
    scope: Scope,
    id: unknown,
    work: (
      session: SqlSession,
      endpoint: StoredEndpoint,
      revision: number,
    ) => Promise<Readonly<Record<string, Change>>>,
  ): Promise<StoredEndpoint> {
    const { endpoints, health, now } = this.#database
    const query: Query = (text, params, map) => session.query(text, params, map)
    const revision = await raiseRevision(this.#database, session)
    const before = await this.get(query, scope, id)
    const changes = await work(session, before, revision)
    const bound = new Conditions()
    const list = Object.entries(changes).map(([column, change]) => {
      return `${column} = ${typeof change === 'object' && change !== null && 'sql' in change ? change.sql : bound.bind(change)}`
    })
    list.push(`revision = ${bound.bind(revision)}`, `updated_at = ${now}`)
    bound.equal('id', before.id)
    await session.query(`update ${endpoints} set ${list.join(', ')}${bound.where}`, bound.params)
    await session.query(`update ${health} set revision = $1 where endpoint_id = $2`, [revision, before.id])
    // one that was deleted just now is no longer found
    return (await this.find(query, scope, id)) ?? before
  }
}

/** A value, or an expression. */
export type Change = SqlValue | { readonly sql: string }
