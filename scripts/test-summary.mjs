// Prints the closing line of a CI run from vitest's JSON report; fails when no test ran.
import { readFileSync } from 'node:fs'

const text = readFileSync(process.argv[2], 'utf8')
const report = text === '' ? {} : JSON.parse(text)
const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report
console.log(`${numPassedTests} passed, ${numFailedTests} failed, ${numPendingTests + numTodoTests} skipped`)
process.exitCode = report.success && numPassedTests > 0 ? 0 : 1
