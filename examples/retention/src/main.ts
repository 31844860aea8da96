import { parseArgs } from 'node:util'
import { createPartitionedPostgresEventStore } from '@varve/postgres-partitioned'
import { runRetention } from './retention.ts'

// pnpm hands its own `--` on
const args = process.argv.slice(2).filter((argument) => argument !== '--')
const { values } = parseArgs({ args, options: { url: { type: 'string' }, schema: { type: 'string' } } })
if (values.url === undefined)
  throw new Error('give --url=postgres://user@host/database, one that may be written to')

const schema = values.schema ?? 'varve_retention'
const store = createPartitionedPostgresEventStore({
  connectionString: values.url.replace(/\?partitioned=true$/, ''),
  schema,
  preset: 'development',
})
try {
  const ok = await runRetention({ store, schema, write: (line) => console.log(line) })
  process.exitCode = ok ? 0 : 1
} finally {
  await store.close()
}
