import { omit } from './wrap.js'
import type { Fault } from './wrap.js'

export const operationFaults: Fault[] = [
  {
    name: 'finds every log sound',
    caughtBy: 'integrity',
    breaks: (store) => ({
      verify: async (options) => ({ ...(await store.verify(options)), ok: true, problems: [] }),
    }),
    breaksReader: (reader) => ({
      verify: async (options) => ({ ...(await reader.verify(options)), ok: true, problems: [] }),
    }),
  },
  {
    name: 'verifies checksums only',
    caughtBy: 'integrity',
    breaks: (store) => ({
      verify: async (options) => {
        const report = await store.verify(options)
        const problems = report.problems.filter(({ kind }) => kind === 'checksum')
        return { ...report, ok: problems.length === 0, problems }
      },
    }),
  },
  {
    name: 'verifies nothing of the range but all',
    caughtBy: 'integrity',
    breaks: (store) => ({ verify: (options) => store.verify(omit(options ?? {}, 'after', 'until')) }),
  },
  {
    name: 'leaves the door of maintenance open to every transaction',
    caughtBy: 'append-only',
    breaks: (store) => ({ transaction: (work) => store.maintenance(work) }),
  },
  {
    name: 'averages the versions of events, not of streams',
    caughtBy: 'statistics',
    breaks: (store) => ({
      statistics: async () => {
        const found = await store.statistics()
        const versions: number[] = []
        for await (const { version } of store.readAll()) versions.push(version)
        const averageVersion = versions.reduce((sum, version) => sum + version, 0) / versions.length
        return { ...found, streamTypes: found.streamTypes.map((one) => ({ ...one, averageVersion })) }
      },
    }),
  },
  {
    name: 'counts characters in statistics',
    caughtBy: 'statistics',
    breaks: (store) => ({
      statistics: async () => {
        let bytes = 0
        for (const { data } of await store.readAll().toArray()) bytes += JSON.stringify(data).length
        return { ...(await store.statistics()), bytes }
      },
    }),
  },
  {
    name: 'says that pending migrations are applied',
    caughtBy: 'migrations',
    breaks: (store) => ({
      migrations: async () =>
        (await store.migrations()).map((one) => ({
          ...one,
          state: 'applied' as const,
          appliedAt: one.appliedAt ?? new Date(0),
        })),
    }),
  },
  {
    name: 'migrates only once',
    caughtBy: 'migrations',
    breaks: (store) => ({
      migrate: async (options) => {
        if ((await store.migrations()).every(({ state }) => state === 'applied'))
          throw new Error('sabotage: there already')
        await store.migrate(options)
      },
    }),
  },
  {
    name: 'migrates a database that is newer',
    caughtBy: 'migrations',
    breaks: (store) => ({ migrate: (options) => store.migrate(options).catch(() => undefined) }),
  },
  { name: 'does not close', caughtBy: 'lifecycle', breaks: () => ({ close: async () => undefined }) },
  {
    name: 'reads on after it was closed',
    caughtBy: 'lifecycle',
    breaks: (store) => ({ statistics: () => store.statistics().catch(() => emptyStatistics) }),
  },
  {
    name: 'does not wait for a transaction when it closes',
    caughtBy: 'lifecycle',
    breaks: (store) => ({
      close: async () => {
        store.close().catch(() => undefined)
      },
    }),
  },
]

const emptyStatistics = { events: 0, streams: 0, lastPosition: 0, eventTypes: [], streamTypes: [], bytes: 0 }
