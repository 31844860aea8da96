import { existsSync, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const roomNeeded = 2 * 1024 ** 3
const tmpfs = 0x01021994

/** A new folder in memory where there is room, or on a real disk. */
export function createDataDirectory(kind: string, onDisk: boolean): string {
  return mkdtempSync(join(onDisk ? diskFolder() : memoryFolder(), `varve-${kind}-`))
}

function memoryFolder(): string {
  const shm = '/dev/shm'
  if (!existsSync(shm)) return tmpdir()
  const { bavail, bsize } = statfsSync(shm)
  return bavail * bsize > roomNeeded ? shm : tmpdir()
}

function diskFolder(): string {
  return (
    [tmpdir(), '/var/tmp'].find((folder) => existsSync(folder) && statfsSync(folder).type !== tmpfs) ??
    tmpdir()
  )
}
