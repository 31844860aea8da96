import { expect, it } from 'vitest'
import { Findings, PROBLEMS_OF_A_KIND } from '../src/verify-findings.js'

it('keeps so many problems of a kind, says that there are more, and hides no other kind', () => {
  const findings = new Findings()
  for (let position = 1; position <= PROBLEMS_OF_A_KIND + 1; position++) {
    findings.add({ kind: 'checksum', streamId: 'a', position, detail: 'wrong' })
  }
  findings.add({ kind: 'head', streamId: 'a', detail: 'behind' })
  const list = findings.list()
  expect(list).toHaveLength(PROBLEMS_OF_A_KIND + 1)
  expect(list[PROBLEMS_OF_A_KIND - 2]?.detail).toBe('wrong')
  expect(list[PROBLEMS_OF_A_KIND - 1]?.detail).toContain('there are more')
  expect(list.at(-1)).toEqual({ kind: 'head', streamId: 'a', detail: 'behind' })
})

it('says nothing of more when there are none', () => {
  const findings = new Findings()
  for (let position = 1; position <= PROBLEMS_OF_A_KIND; position++) {
    findings.add({ kind: 'checksum', streamId: 'a', position, detail: 'wrong' })
  }
  expect(findings.list().every(({ detail }) => detail === 'wrong')).toBe(true)
})
