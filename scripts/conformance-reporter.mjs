// Prints, behind everything else, how many conformance cases each engine passed per topic: a missing engine is seen at once.

const GROUP = /^(.+) › ([a-z-]+)$/

export default class ConformanceReporter {
  onTestRunEnd(modules) {
    const engines = new Map()
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const [, engine, topic] = GROUP.exec(test.parent.name ?? '') ?? []
        if (!test.name.startsWith(`${topic}/`) || test.result().state === 'skipped') continue
        const topics = engines.get(engine) ?? new Map()
        engines.set(engine, topics)
        const count = topics.get(topic) ?? { passed: 0, gaps: 0, total: 0 }
        topics.set(topic, count)
        count.total += 1
        if (test.name.includes('(known gap: ')) count.gaps += 1
        else if (test.result().state === 'passed') count.passed += 1
      }
    }
    if (engines.size > 0) console.log(`\n${table(engines)}\n`)
  }
}

function table(engines) {
  const names = [...engines.keys()].toSorted((a, b) => (a < b ? -1 : 1))
  const topics = [...new Set(names.flatMap((name) => [...engines.get(name).keys()]))]
  const sum = (counts) =>
    counts.reduce((a, b) => ({
      passed: a.passed + b.passed,
      gaps: a.gaps + b.gaps,
      total: a.total + b.total,
    }))
  const cell = (count) => {
    if (count === undefined) return '–'
    const failed = count.total - count.passed - count.gaps
    const notes = [count.gaps > 0 && `${count.gaps} gaps`, failed > 0 && `${failed} FAILED`].filter(Boolean)
    return notes.length === 0 ? `${count.passed}` : `${count.passed} (${notes.join(', ')})`
  }
  const rows = [
    ['conformance', ...names],
    ...topics.map((topic) => [topic, ...names.map((name) => cell(engines.get(name).get(topic)))]),
    ['cases passed', ...names.map((name) => cell(sum([...engines.get(name).values()])))],
  ]
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const line = (row) =>
    row
      .map((text, column) => (column === 0 ? text.padEnd(widths[0]) : text.padStart(widths[column])))
      .join('  ')
  return rows.map(line).join('\n')
}
