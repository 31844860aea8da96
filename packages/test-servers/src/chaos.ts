import type { Fleet } from './fleet.ts'

export interface Chaos {
  readonly fleet: Fleet
  /** How many processes there are to be at any time. */
  readonly processes: number
  readonly forMs: number
  /** One append, by one of the writers that go on meanwhile. */
  readonly append: (n: number) => Promise<unknown>
  readonly writers: number
  /** Something else that goes wrong now and then. */
  readonly trouble?: () => Promise<unknown>
}

/** Kills processes at random, and does what else is troublesome, while writers append. Gives how much was appended. */
export async function runChaos({
  fleet,
  processes,
  forMs,
  append,
  writers,
  trouble,
}: Chaos): Promise<number> {
  const end = performance.now() + forMs
  const goesOn = (): boolean => performance.now() < end
  let appended = 0
  const write = async (): Promise<void> => {
    while (goesOn()) {
      await append(appended++)
      await pause(Math.random() * 8)
    }
  }
  const disturb = async (): Promise<void> => {
    while (goesOn()) {
      await pause(150 + Math.random() * 500)
      if (trouble !== undefined && Math.random() < 0.5) await trouble()
      else {
        await fleet.killOne()
        await fleet.start()
      }
    }
  }
  await Promise.all(Array.from({ length: processes }, () => fleet.start()))
  await Promise.all([...Array.from({ length: writers }, write), disturb()])
  return appended
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
