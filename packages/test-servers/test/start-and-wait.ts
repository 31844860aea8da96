import pg from 'pg'
import { startPostgres } from '../src/index.ts'

const server = await startPostgres()
const client = new pg.Client({ connectionString: server.adminUrl })
await client.connect()
const { rows } = await client.query<{ data_directory: string }>('show data_directory')
console.log(JSON.stringify({ pid: server.pid, data: rows[0]?.data_directory }))
