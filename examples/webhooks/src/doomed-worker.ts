// A worker in a process of its own, which the scenario kills while its request is on the wire.
import { openEventStore } from '@varve/core'
import { createWebhooks } from '@varve/webhooks'
import { settings } from './settings.ts'

const store = await openEventStore(process.argv[2] ?? '', { preset: 'development' })
createWebhooks(store, settings).run()
process.send?.('running')
