import { z } from 'zod'

/** Whole cents. */
const cents = z.number().int().positive()

export const accountEvents = {
  'account.opened': z.object({ owner: z.string().min(1) }),
  'money.deposited': z.object({ cents }),
  'money.sent': z.object({ cents, to: z.string(), transfer: z.string() }),
  'money.received': z.object({ cents, from: z.string(), transfer: z.string() }),
}

export const limitEvents = {
  'limit.set': z.object({ cents }),
  'limit.lifted': z.object({}),
}

export const transferEvents = {
  'transfer.completed': z.object({ from: z.string(), to: z.string(), cents }),
  'transfer.refused': z.object({ from: z.string(), to: z.string(), cents, reason: z.string() }),
}
