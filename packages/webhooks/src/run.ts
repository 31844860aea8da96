import { copyOptions, InvalidArgumentError, namesOf, optionalSignal, wholeNumber } from '@varve/core'
import type { EventStore } from '@varve/core'
import { isStoreClosedError } from '@varve/core'
import { purge } from './deliveries/purge.js'
import { EVERYBODY } from './scope.js'
import type { WebhookParts } from './webhooks.js'
import { Wake } from './worker/wake.js'
import { Worker } from './worker/worker.js'

export interface RunWorkerOptions {
  /** Stops the worker when it aborts. */
  signal?: AbortSignal | undefined
  /** `false`: sends only, and leaves it to other processes to turn events into jobs; `true` when absent. */
  fanOut?: boolean | undefined
  /** Requests at a time; as `createWebhooks` was told when absent. */
  concurrency?: number | undefined
}

/** A worker under way in this process. */
export interface WebhookWorker extends AsyncDisposable {
  /** Waits until every event that was committed before the call has its jobs, whichever process makes them. */
  caughtUp(): Promise<void>
  /**
   * Claims no more, lets requests under way end, which takes no longer than their timeout, writes down what came of them, and
   * gives back what was not sent.
   */
  stop(): Promise<void>
}

const names = namesOf<RunWorkerOptions>({ signal: true, fanOut: true, concurrency: true })
const PRUNE_EVERY_MS = 300_000
const BATCHES_AT_A_TIME = 20
// it has no request to wait for, as jobs have: nobody need wait a minute for its successor
const MAX_FAN_OUT_LEASE_MS = 10_000

type Disable = (endpointId: string, reason: 'gone' | 'failing') => Promise<boolean>

/** @throws InvalidArgumentError */
export function startWorker(parts: WebhookParts, disable: Disable, input?: RunWorkerOptions): WebhookWorker {
  const given = copyOptions<RunWorkerOptions>(input, names)
  const signal = optionalSignal(given.signal, 'signal')
  const options = {
    ...parts.options,
    concurrency: wholeNumber(given.concurrency, 'concurrency', parts.options.concurrency, {
      min: 1,
      max: 10_000,
    }),
  }
  const worker = new Worker({
    ...parts,
    options,
    disable: async (endpointId, reason) => {
      if (!(await disable(endpointId, reason))) return
      const why = reason === 'gone' ? 'it answered 410' : 'it has failed for too long'
      options.onAlarm({
        kind: 'disabled',
        endpointId,
        message: `Endpoint ${endpointId} was disabled: ${why}.`,
      })
    },
  })
  const runner = given.fanOut === false ? undefined : startFanOut(parts, worker.wake)
  const stopped = new Wake()
  const ending = new AbortController()
  const running = begin()
  let over: Promise<void> | undefined

  const handle = {
    wake: worker.wake,
    caughtUp: async () => {
      if (runner === undefined)
        throw new InvalidArgumentError('fanOut', 'is false: this worker makes no jobs')
      await runner.caughtUp()
    },
    stop: () => (over ??= end()),
    [Symbol.asyncDispose]: () => handle.stop(),
  }
  parts.workers.add(handle)
  signal?.addEventListener('abort', () => void handle.stop(), { once: true })
  if (signal?.aborted === true) void handle.stop()
  return handle

  async function begin(): Promise<void> {
    const pruning = prune()
    await worker.run()
    await pruning
  }

  async function end(): Promise<void> {
    ending.abort()
    stopped.now()
    await Promise.all([runner?.stop(), worker.stop(), running])
    parts.workers.delete(handle)
  }

  /** Deletes old history, a little at a time. */
  async function prune(): Promise<void> {
    while (!ending.signal.aborted) {
      await stopped.wait(PRUNE_EVERY_MS)
      if (ending.signal.aborted || options.historyMs === 0) continue
      try {
        await purge(parts.database, EVERYBODY, options.historyMs, { batches: BATCHES_AT_A_TIME })
      } catch (error) {
        if (isStoreClosedError(error)) return
        options.onAlarm({
          kind: 'database',
          message: 'Old history could not be deleted; the worker tries again later.',
        })
      }
    }
  }
}

function startFanOut(
  { store, fanOut, options }: WebhookParts,
  wake: () => void,
): ReturnType<EventStore['projections']['run']> {
  return store.projections.run([fanOut.projection], {
    batchSize: 500,
    checkpointEvery: 100,
    leaseMs: Math.min(options.leaseMs, MAX_FAN_OUT_LEASE_MS),
    onBatch: wake,
    onError: ({ error, action }) => {
      if (action === 'restart') return
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      options.onAlarm({
        kind: 'fan-out',
        message: `Events could not be turned into jobs (${code}): ${action}.`,
      })
    },
  })
}
