import { expect, test } from 'vitest'
import { PagedRead } from '../src/event-read.js'

const nothing = () => Promise.resolve(undefined)

test('answers come in the order of the questions, also across pages', async () => {
  async function* pages() {
    yield [0, 1]
    await Promise.resolve()
    yield [2, 3, 4, 5, 6, 7]
  }
  const source = { pages, first: nothing, last: nothing, count: () => Promise.resolve(8) }
  const access = { query: () => Promise.resolve([]), run: nothing, whole: nothing }
  const iterator = new PagedRead<number>(source, access as never)[Symbol.asyncIterator]()
  const answers: (number | undefined)[] = []
  const ask = async (): Promise<void> => {
    const question = answers.push(undefined) - 1
    const { value }: IteratorResult<number> = await iterator.next()
    answers[question] = value
  }
  const asked = [ask(), ask(), ask(), ask()]
  // one more in each turn of the microtasks, while the first four wait for their pages
  for (let more = 0; more < 4; more++) {
    await Promise.resolve()
    await Promise.resolve()
    asked.push(ask())
  }
  await Promise.all(asked)
  expect(answers).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
})
