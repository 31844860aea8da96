import { globSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { defineConfig } from 'vitest/config'

// every package or example with tests is a project; the conformance cases in packages/core/src are a library, not tests
const folders = [
  ...new Set(
    globSync('{packages,examples}/*/test/**/*.test.ts').map((file) =>
      file.split(/[\\/]/).slice(0, 2).join('/'),
    ),
  ),
]

const report = process.env.VARVE_TEST_REPORT

const conditions = ['@varve/source']

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    passWithNoTests: true,
    provide: { testServers: ['postgres', 'mysql', 'mariadb'] },
    globalSetup: ['./packages/test-servers/src/global-setup.ts'],
    reporters: [
      'default',
      './scripts/conformance-reporter.mjs',
      ...(report ? [['json', { outputFile: report }] as [string, object]] : []),
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    projects: folders.toSorted().map((folder) => ({
      extends: true,
      test: {
        name: dirname(folder) === 'packages' ? basename(folder) : folder,
        root: folder,
        include: ['test/**/*.test.ts'],
      },
    })),
    coverage: {
      provider: 'v8',
      include: ['packages/*/src/**/*.ts'],
      exclude: ['packages/test-servers/**', 'packages/benchmarks/**'],
      reporter: ['text', 'json-summary'],
    },
  },
})
