import type { RecordedEvent } from '@varve/core'
import type { StoredEndpoint } from '../endpoints/endpoint-rows.js'
import type { Sender } from '../http/sender.js'
import { messageId } from '../ids.js'
import { LEASE_MARGIN_MS } from '../options.js'
import type { ResolvedOptions } from '../options.js'
import { HOPS_HEADER } from '../signature/message.js'
import { signWith } from '../signature/sign.js'
import type { ClaimedJob } from './claim.js'
import { decide, unsendable } from './decide.js'
import type { ReadyEndpoint } from './endpoint-cache.js'
import type { Outcome } from './outcome.js'
import { payloadOf } from './payload.js'
import type { Payload } from './payload.js'

export interface DeliverContext {
  readonly sender: Sender
  readonly options: ResolvedOptions
  /** Milliseconds since 1970, by the database's clock. */
  readonly now: () => number
}

export interface DeliverRequest {
  readonly job: ClaimedJob
  readonly endpoint: StoredEndpoint
  readonly ready: ReadyEndpoint
  /** Absent when it is not in the log. */
  readonly event: RecordedEvent | undefined
}

/** Makes one attempt: signs the payload afresh, sends it once, and says what is to become of the job. */
export async function deliver(context: DeliverContext, request: DeliverRequest): Promise<Outcome> {
  const { job, endpoint, ready } = request
  const payload = jobPayload(context, request)
  if (payload === undefined) return unsendable(job, 'the event is no longer in the log')
  if ('problem' in payload) return unsendable(job, payload.problem)
  const now = context.now()
  const keys = ready.keys.flatMap(({ key, expiresAt }) => (expiresAt > now ? [key] : []))
  if (keys.length === 0) return unsendable(job, 'the endpoint has no signing secret')
  const signature = signWith(keys, messageId(job), Math.floor(now / 1000), payload.body)
  const headers = [
    'content-type',
    payload.contentType,
    'user-agent',
    'varve-webhooks',
    HOPS_HEADER,
    String(payload.hops),
    ...Object.entries(signature).flat(),
  ]
  // a name that the endpoint sets itself wins
  for (let at = 0; at < ready.headers.length; at += 2) {
    const [name = '', value = ''] = [ready.headers[at], ready.headers[at + 1]]
    const same = headers.findIndex((each, index) => index % 2 === 0 && each === name)
    if (same === -1) headers.push(name, value)
    else headers[same + 1] = value
  }
  // one that was made by somebody with a longer lease must not outlast ours
  const timeoutMs = Math.min(endpoint.timeoutMs, context.options.leaseMs - LEASE_MARGIN_MS)
  const answer = await context.sender.send(
    { url: ready.url, headers, body: payload.body, timeoutMs },
    context,
  )
  return decide(job, endpoint, answer, context.now())
}

function jobPayload(
  { options }: DeliverContext,
  { job, endpoint, event }: DeliverRequest,
): Payload | { readonly problem: string } | undefined {
  if (job.payload !== null)
    return { body: Buffer.from(job.payload), contentType: 'application/json', hops: 1 }
  return event === undefined ? undefined : payloadOf(event, endpoint, options)
}
