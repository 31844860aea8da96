const DAY_MS = 86_400_000
// as HTTP has dates; Date.parse would take far more for one
const httpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Milliseconds that a `Retry-After` asks for, seconds or a date, at most a day; `undefined` when it makes no sense. */
export function retryAfterMs(value: string | readonly string[] | undefined, now: number): number | undefined {
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (/^\d{1,15}$/.test(text)) return Math.min(DAY_MS, Number(text) * 1000)
  if (!httpDate.test(text)) return undefined
  const wait = Date.parse(text) - now
  return Number.isNaN(wait) ? undefined : Math.min(DAY_MS, Math.max(0, Math.ceil(wait)))
}
