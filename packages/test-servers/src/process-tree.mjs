// Plain JavaScript because the watchdog, which outlives the process that started it, runs it as well.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/**
 * SIGKILL to a process and its children. Postgres puts every backend into a process group of its own,
 * so killing a group would leave them alive.
 * @param {number} pid
 * @returns {number[]} the children, which may take another moment to be gone
 */
export function killTree(pid) {
  if (process.platform === 'win32') {
    attempt(() => execFileSync('taskkill', ['/pid', String(pid), '/t', '/f'], { stdio: 'ignore' }))
    return []
  }
  // a stopped parent starts no further children
  if (!attempt(() => process.kill(pid, 'SIGSTOP'))) return []
  const children = childrenOf(pid)
  for (const target of [pid, ...children]) attempt(() => process.kill(target, 'SIGKILL'))
  return children
}

/**
 * Whether a process still holds memory, files or ports; one that waits to be reaped does not.
 * @param {number} pid
 */
export function isAlive(pid) {
  if (!attempt(() => process.kill(pid, 0))) return false
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return !existsSync('/proc/self/stat')
  }
}

/** @param {number} pid */
function childrenOf(pid) {
  const list = `/proc/${pid}/task/${pid}/children`
  if (existsSync(list)) return numbers(readFileSync(list, 'utf8'))
  const table = execFileSync('ps', ['-A', '-o', 'ppid=,pid='], { encoding: 'utf8' })
  return table
    .split('\n')
    .map(numbers)
    .flatMap(([parent, child]) => (parent === pid && child !== undefined ? [child] : []))
}

/** @param {string} text */
function numbers(text) {
  return (text.match(/\d+/g) ?? []).map(Number)
}

/** @param {() => unknown} action */
function attempt(action) {
  try {
    action()
    return true
  } catch {
    // the process is gone already
    return false
  }
}
