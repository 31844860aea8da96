import { setImmediate } from 'node:timers/promises'
import { defineProcess, defineProjection, eventData } from '@varve/core'
import type { CommandExecution } from '@varve/core'
import type { Database } from 'better-sqlite3'
import { expect, it } from 'vitest'
import { useStores } from './stores.js'

const { migrated, database, afterwards } = useStores()

interface Order {
  readonly order: string
}

const place = (order: string) => [{ type: 'placed', data: { order } }]

/** A promise that is settled from outside. */
function held() {
  let release: () => void = () => undefined
  const promise = new Promise<void>((resolve) => {
    release = resolve
  })
  afterwards(() => release())
  return { promise, release: () => release() }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await setImmediate()
}

/** Whether it is still open after everything that could have ended it had its turn. */
async function stays(promise: Promise<unknown>): Promise<boolean> {
  let open = true
  promise.finally(() => (open = false)).catch(() => undefined)
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  return open
}

function paying(pay: (order: string, execution: CommandExecution) => unknown) {
  return defineProcess({
    name: 'paying',
    events: { placed: eventData<Order>() },
    correlate: ({ data }) => data.order,
    initialState: {},
    commands: { pay: ({ order }: Order, execution: CommandExecution) => pay(order, execution) },
    handles: { placed: (_, { data }) => ({ commands: [{ command: 'pay', data }] }) },
  })
}

it('a reset moves the checkpoint and forgets what was parked behind it, or does neither', async () => {
  const client = database()
  const store = await migrated({ database: client })
  const projection = defineProjection<Database>({
    name: 'failing',
    onError: 'park',
    handles: {
      placed: () => {
        throw new Error('on purpose')
      },
    },
  })
  await store.append('a', place('a'))
  await store.append('b', place('b'))
  await using runner = store.projections.run([projection], { onError: () => undefined })
  await runner.caughtUp()
  client.exec(`create trigger gone before delete on parked_events begin select raise(abort, 'gone'); end`)
  await expect(store.projections.reset('failing', 0)).rejects.toThrow(/gone/)
  expect(await store.projections.get('failing')).toMatchObject({ lastPosition: 2, parkedEvents: 2 })
  client.exec('drop trigger gone')
  await store.projections.reset('failing', 0)
  await runner.caughtUp()
  expect(await store.projections.get('failing')).toMatchObject({ lastPosition: 2, parkedEvents: 2 })
})

it('commands under way are waited for, and not carried out beside themselves, when another one cannot be noted', async () => {
  const client = database()
  const store = await migrated({ database: client })
  client.exec(`create trigger gone before update on process_outbox begin select raise(abort, 'gone'); end`)
  const { promise, release } = held()
  let begun = 0
  const process = paying(async (order) => {
    if (order === 'held') {
      begun++
      await promise
      return
    }
    await until(() => begun > 0)
    throw new Error('on purpose')
  })
  await store.append('held', place('held'))
  await store.append('bad', place('bad'))
  const runner = store.processes.run([process], { onFailure: () => undefined })
  await until(() => begun > 0)
  expect(await stays(promise)).toBe(true)
  const stopped = runner.stop()
  expect(await stays(stopped)).toBe(true)
  release()
  await stopped
  expect(begun).toBe(1)
})

it('stopping waits for the command that somebody who waits has carried out', async () => {
  const client = database()
  const store = await migrated({ database: client })
  const { promise, release } = held()
  let tries = 0
  let failed = 0
  const process = paying(async () => {
    if (++tries === 1) throw new Error('on purpose')
    await promise
  })
  await store.append('a', place('a'))
  const runner = store.processes.run([process], { onFailure: () => void failed++ })
  await until(() => failed === 1)
  // until the next try is waited for
  for (let turn = 0; turn < 10; turn++) await setImmediate()
  client.exec('update process_outbox set due_at = (select max(created_at) from events)')
  const waiting = runner.caughtUp().catch(() => undefined)
  await until(() => tries === 2)
  const stopped = runner.stop()
  expect(await stays(stopped)).toBe(true)
  release()
  await stopped
  await waiting
})
