import { expect, it } from 'vitest'
import { dumpSchema } from './dump-schema.js'
import { onEach } from './store.js'

onEach('the schema', ({ open, database, owner }, family) => {
  it('is what the golden file says; `vitest run --project mysql schema -u` writes it anew', async () => {
    const store = open()
    await store.migrate()
    const head = `-- What the migrations come to on ${family === 'mysql' ? 'MySQL' : 'MariaDB'}, written by test/schema.test.ts from the server's answers; do not edit.\n\n`
    await expect(head + (await dumpSchema(owner(), database().name))).toMatchFileSnapshot(
      `../schema.${family}.sql`,
    )
  })
})
