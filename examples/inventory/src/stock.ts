import { defineProjection } from '@varve/core'
import type { EventStore, RecordedEvent } from '@varve/core'
import type { StockRow } from './expected.ts'
import type { Sql } from './sql.ts'

export const STOCK = 'inventory_stock'

type Events = {
  'inventory.item.created': { name: string }
  'inventory.item.stock_adjusted': { delta: number }
}

interface StockOptions {
  readonly sql: Sql
  /** Called before each movement is applied; for the process that is to die in the middle. */
  readonly before?: (event: RecordedEvent) => void | Promise<void>
}

/** The read model: what lies on the shelves of all tenants. Quantities are added up, so an event that came twice would show. */
export function stockProjection({ sql, before }: StockOptions) {
  return defineProjection<unknown, Events>({
    name: STOCK,
    allTenants: true,
    tables: [STOCK],
    setUp: ({ client, table }) =>
      sql.run(
        client,
        `create table if not exists ${table(STOCK)} (
          tenant_id varchar(100) not null,
          item_id varchar(100) not null,
          name varchar(200) not null,
          quantity bigint not null,
          movements bigint not null,
          primary key (tenant_id, item_id)
        )`,
      ),
    handles: {
      'inventory.item.created': ({ tenantId, streamId, data }, { client, table }) =>
        sql.run(client, `insert into ${table(STOCK)} values (?, ?, ?, 0, 0)`, [
          tenantId,
          streamId,
          data.name,
        ]),
      'inventory.item.stock_adjusted': async (event, { client, table }) => {
        await before?.(event)
        await sql.run(
          client,
          `update ${table(STOCK)} set quantity = quantity + ?, movements = movements + 1 where tenant_id = ? and item_id = ?`,
          [event.data.delta, event.tenantId, event.streamId],
        )
      },
    },
  })
}

/** The whole model, as any reader sees it. */
export async function readStock(store: EventStore, sql: Sql): Promise<StockRow[]> {
  const rows = await store.transaction((tx) =>
    sql.run(
      tx.client,
      `select tenant_id, item_id, name, quantity, movements from ${STOCK} order by tenant_id, item_id`,
    ),
  )
  return rows.map((row) => ({
    tenant: String(row['tenant_id']),
    item: String(row['item_id']),
    name: String(row['name']),
    quantity: Number(row['quantity']),
    movements: Number(row['movements']),
  }))
}
