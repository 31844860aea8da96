import type { SqlSession } from '@varve/sql'
import { newId } from '../ids.js'
import { headerOwner } from '../secrets/cipher.js'
import type { Cipher } from '../secrets/cipher.js'
import type { Database, Query } from '../sql/database.js'

export interface SealedSecret {
  readonly endpointId: string
  readonly sealed: string
  /** Absent for the current one. */
  readonly expiresAt?: Date
}

/** Signing secrets in their table, encrypted. */
export class SecretStore {
  readonly #database: Database
  readonly #cipher: Cipher

  constructor(database: Database, cipher: Cipher) {
    this.#database = database
    this.#cipher = cipher
  }

  /** Makes a secret the current one; those before it sign along for `overlapMs`, expired ones go. */
  async add(session: SqlSession, endpointId: string, secret: string, overlapMs: number): Promise<void> {
    const { secrets, now, syntax } = this.#database
    await session.query(`delete from ${secrets} where endpoint_id = $1 and expires_at <= ${now}`, [
      endpointId,
    ])
    await session.query(
      `update ${secrets} set expires_at = ${syntax.after(now, '$1')} where endpoint_id = $2 and expires_at is null`,
      [overlapMs, endpointId],
    )
    await session.query(
      `insert into ${secrets} (id, endpoint_id, sealed, created_at) values ($1, $2, $3, ${now})`,
      [newId(), endpointId, this.#cipher.encrypt(secret, endpointId)],
    )
  }

  /** Newest first, expired ones left out. */
  live(query: Query, endpointIds: readonly string[]): Promise<SealedSecret[]> {
    const { secrets, now, syntax } = this.#database
    const text =
      `select endpoint_id, sealed, ${this.#database.timeColumn('expires_at')} from ${secrets} where endpoint_id in ` +
      `(select endpoint_id from ${syntax.rows('$1', { endpoint_id: 'text' })}) and (expires_at is null or expires_at > ${now}) order by id desc`
    return query(text, [JSON.stringify(endpointIds.map((id) => ({ endpoint_id: id })))], (row) => {
      const expiresAt = this.#database.timeOrNone(row[2])
      return {
        endpointId: row[0] as string,
        sealed: row[1] as string,
        ...(expiresAt !== undefined && { expiresAt }),
      }
    })
  }

  /** Encrypts all that was not encrypted with the current key once more; gives how many. */
  async reencrypt(): Promise<number> {
    const { secrets, endpoints } = this.#database
    const decode = this.#database.access.dialect.decode
    return this.#database.transaction(async (session) => {
      let count = 0
      const rows = await session.query(
        `select id, endpoint_id, sealed from ${secrets}${this.#database.syntax.lock}`,
      )
      for (const row of rows) {
        const [id, owner, sealed] = row as [string, string, string]
        if (!this.#cipher.isStale(sealed)) continue
        await session.query(`update ${secrets} set sealed = $1 where id = $2`, [
          this.#again(sealed, owner),
          id,
        ])
        count++
      }
      const headers = await session.query(
        `select id, custom_headers from ${endpoints}${this.#database.syntax.lock}`,
      )
      for (const row of headers) {
        const [id, values] = [row[0] as string, decode.json(row[1]) as Record<string, string>]
        const stale = Object.values(values).filter((sealed) => this.#cipher.isStale(sealed)).length
        if (stale === 0) continue
        const sealed = Object.entries(values).map(([name, value]) => [
          name,
          this.#again(value, headerOwner(id, name)),
        ])
        const json = JSON.stringify(Object.fromEntries(sealed))
        await session.query(`update ${endpoints} set custom_headers = $1 where id = $2`, [json, id])
        count += stale
      }
      return count
    })
  }

  #again(sealed: string, owner: string): string {
    return this.#cipher.encrypt(this.#cipher.decrypt(sealed, owner), owner)
  }
}
