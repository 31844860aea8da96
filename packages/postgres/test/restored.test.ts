import { restoresElsewhereSurvive } from '@varve/test-servers/vitest'
import { test } from 'vitest'
import { createPostgresEventStore } from '../src/index.js'

test('a log that is restored into another cluster goes on as if nothing had happened', async () => {
  await restoresElsewhereSurvive((connectionString) => createPostgresEventStore({ connectionString }))
}, 90_000)
