import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os'

/** What figures depend on, to be kept beside them. */
export function describeMachine() {
  return {
    cores: availableParallelism(),
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${platform()} ${release()}`,
    node: process.version,
    /** Of the last minute: above 0.5 before the start, somebody else was at work. */
    load: loadavg()[0],
  }
}
