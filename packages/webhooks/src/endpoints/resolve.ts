import { copyOptions, InvalidArgumentError, namesOf, oneOf, wholeNumber } from '@varve/core'
import type { Given } from '@varve/core'
import { parseKey } from '../signature/secret.js'
import { generateKeyPair, generateSecret } from '../signature/secret.js'
import { resolveHeaders } from './custom-headers.js'
import type { EndpointChanges, NewEndpoint, OnExhausted, Ordering } from './endpoint.js'
import { resolveEvents } from './event-types.js'
import { defaultRetries, resolveRetryPolicy } from './retry-policy.js'
import type { RetryPolicy } from './retry-policy.js'

const changeable = {
  url: true,
  events: true,
  description: true,
  customHeaders: true,
  timeoutMs: true,
  maxRetries: true,
  retry: true,
  onExhausted: true,
  maxConcurrency: true,
  rateLimit: true,
} as const
const newNames = namesOf<NewEndpoint>({ ...changeable, ordering: true, secret: true })
const changeNames = namesOf<EndpointChanges>(changeable)

/** An endpoint's settings, checked; `url` is still to be looked at by the guard. */
export interface EndpointSettings {
  readonly url: unknown
  readonly events: readonly string[]
  readonly description: string
  readonly customHeaders: Readonly<Record<string, string>>
  readonly timeoutMs: number
  readonly maxRetries: number
  readonly retry: RetryPolicy
  readonly onExhausted: OnExhausted
  readonly maxConcurrency: number
  readonly rateLimit: number | undefined
}

export interface EndpointLimits {
  readonly timeoutMs: number
  /** A lease must outlast an attempt. */
  readonly maxTimeoutMs: number
}

/** @throws InvalidArgumentError */
export function resolveNewEndpoint(
  input: NewEndpoint,
  limits: EndpointLimits,
): EndpointSettings & { ordering: Ordering; secret: string } {
  const given = copyOptions<NewEndpoint>(input, newNames, 'endpoint')
  const retry = resolveRetryPolicy(given.retry)
  return {
    url: given.url,
    events: resolveEvents(given.events),
    description: text(given.description) ?? '',
    customHeaders: resolveHeaders(given.customHeaders),
    timeoutMs: timeout(given.timeoutMs, limits) ?? limits.timeoutMs,
    maxRetries: retries(given.maxRetries) ?? defaultRetries(retry),
    retry,
    ordering: oneOf(given.ordering, 'ordering', ['none', 'stream'], 'none'),
    onExhausted: oneOf(given.onExhausted, 'onExhausted', ['block', 'skip'], 'block'),
    maxConcurrency: concurrency(given.maxConcurrency) ?? 10,
    rateLimit: rate(given.rateLimit),
    secret: resolveSecret(given.secret),
  }
}

/** Only what is to be changed. @throws InvalidArgumentError */
export function resolveChanges(
  input: EndpointChanges,
  limits: EndpointLimits,
): { [Key in keyof EndpointSettings]?: EndpointSettings[Key] | (Key extends 'rateLimit' ? null : never) } {
  const given: Given<EndpointChanges> = copyOptions<EndpointChanges>(input, changeNames, 'changes')
  const changes = {
    url: given.url,
    events: given.events === undefined ? undefined : resolveEvents(given.events),
    description: text(given.description),
    customHeaders: given.customHeaders === undefined ? undefined : resolveHeaders(given.customHeaders),
    timeoutMs: timeout(given.timeoutMs, limits),
    maxRetries: retries(given.maxRetries),
    retry: given.retry === undefined ? undefined : resolveRetryPolicy(given.retry),
    onExhausted:
      given.onExhausted === undefined
        ? undefined
        : oneOf(given.onExhausted, 'onExhausted', ['block', 'skip'], 'block'),
    maxConcurrency: concurrency(given.maxConcurrency),
    rateLimit: given.rateLimit === null ? null : rate(given.rateLimit),
  }
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

/** A secret of the caller's, or a new one. @throws InvalidArgumentError */
export function resolveSecret(value: unknown): string {
  if (value === undefined || value === 'hmac') return generateSecret()
  if (value === 'ed25519') return generateKeyPair().secret
  if (typeof value === 'string' && value.startsWith('whpk_')) {
    throw new InvalidArgumentError('secret', 'is a public key, which cannot sign; give its whsk_ half')
  }
  try {
    parseKey(value)
    return value as string
  } catch (error) {
    // its message tells how long the secret is, and never what it is
    throw new InvalidArgumentError('secret', error instanceof Error ? error.message : 'cannot be used')
  }
}

function text(value: unknown): string | undefined {
  if (value === undefined) return undefined
  if (typeof value === 'string' && value.length <= 1_000 && value.isWellFormed() && !value.includes('\0'))
    return value
  throw new InvalidArgumentError('description', 'must be text of at most 1,000 characters')
}

function timeout(value: unknown, { maxTimeoutMs }: EndpointLimits): number | undefined {
  return value === undefined ? undefined : wholeNumber(value, 'timeoutMs', 0, { min: 1, max: maxTimeoutMs })
}

function retries(value: unknown): number | undefined {
  return value === undefined ? undefined : wholeNumber(value, 'maxRetries', 0, { max: 100 })
}

function concurrency(value: unknown): number | undefined {
  return value === undefined ? undefined : wholeNumber(value, 'maxConcurrency', 0, { min: 1, max: 1_000 })
}

function rate(value: unknown): number | undefined {
  return value === undefined ? undefined : wholeNumber(value, 'rateLimit', 0, { min: 1, max: 100_000 })
}
