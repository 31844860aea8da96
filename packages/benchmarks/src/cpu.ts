import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of processor time so far. */
export interface Cpu {
  readonly client: number
  /** 0 where it cannot be known. */
  readonly server: number
}

// of /proc/*/stat; the kernel has counted in hundredths of a second for user space since 2.6
const MS_PER_TICK = 10

export function cpuNow(serverPid: number | undefined): Cpu {
  const { user, system } = process.cpuUsage()
  return { client: (user + system) / 1000, server: serverPid === undefined ? 0 : treeMs(serverPid) }
}

/** Of a process, its children (the server's backends), and those of them that have ended. */
function treeMs(pid: number): number {
  if (process.platform !== 'linux') return 0
  let ticks = 0
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const fields = statOf(entry)
    const parent = Number(fields[1])
    if (Number(entry) !== pid && parent !== pid) continue
    ticks += Number(fields[11]) + Number(fields[12])
    if (Number(entry) === pid) ticks += Number(fields[13]) + Number(fields[14])
  }
  return ticks * MS_PER_TICK
}

/** From the state on; what stands before it is a name that may hold anything. */
function statOf(pid: string): string[] {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    return [] // it has just ended
  }
}
