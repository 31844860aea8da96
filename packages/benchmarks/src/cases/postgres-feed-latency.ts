import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import type { Benchmark } from '../benchmark.ts'
import { openPostgresBench } from '../postgres-bench.ts'
import { spreadOf } from '../spread.ts'

/** From the call of `append` to a subscriber in another process, by the clock that both share. */
export const postgresFeedLatency: Benchmark = {
  name: 'feed-latency',
  engine: 'postgres',
  async run(context) {
    await using bench = await openPostgresBench(context)
    const { store, url } = bench
    const child = fork(new URL('../feed-reader.ts', import.meta.url), [url])
    await once(child, 'message')
    const latencies: number[] = []
    for (let n = 0; n < (context.quick ? 50 : 300); n++) {
      const arrived = once(child, 'message') as Promise<[{ latencyMs: number }]>
      await store.append(`s-${n % 10}`, [{ type: 'said', data: performance.timeOrigin + performance.now() }])
      const [{ latencyMs }] = await arrived
      latencies.push(latencyMs)
      // some come one after the other, some after a while in which nothing happens
      await pause(n % 10 === 0 ? 300 : 5)
    }
    child.kill()
    context.report({
      benchmark: 'feed latency',
      engine: 'postgres',
      label: 'append to a subscriber in another process',
      unit: 'ms',
      value: spreadOf(latencies),
      target: { atMost: 10 },
    })
  },
}
