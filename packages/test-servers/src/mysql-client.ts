import { createConnection, type RowDataPacket } from 'mysql2/promise'

/** Runs one statement on a connection of its own. */
export async function runOnMysql(url: string, statement: string): Promise<RowDataPacket[]> {
  const connection = await createConnection({ uri: url, connectTimeout: 5000 })
  try {
    const [rows] = await connection.query<RowDataPacket[]>(statement)
    return Array.isArray(rows) ? rows : []
  } finally {
    await connection.end()
  }
}
