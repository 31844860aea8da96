import type { WebhookOptions } from '@varve/webhooks'

/** The same for the program and for the worker that it kills. The key of a demonstration; keep yours out of the code. */
export const settings: WebhookOptions = {
  encryptionKeys: [{ id: 'demonstration', key: '5'.repeat(64) }],
  allowNetworks: ['127.0.0.1'],
  timeoutMs: 2_500,
  leaseMs: 4_000,
  pollIntervalMs: 50,
  breakerFailures: 100,
}
