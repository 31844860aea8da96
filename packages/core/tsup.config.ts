import { defineConfig, type Options } from 'tsup'

const common: Options = { target: 'node22', dts: false, sourcemap: true, clean: false }

// the conformance suite is ESM only, as vitest is; one ESM build, so that the entries share one copy of the code
export default defineConfig([
  {
    ...common,
    format: 'esm',
    splitting: true,
    entry: {
      index: 'src/index.ts',
      'conformance/index': 'src/conformance/index.ts',
      'testing/index': 'src/testing/index.ts',
    },
  },
  { ...common, format: 'cjs', entry: { index: 'src/index.ts', 'testing/index': 'src/testing/index.ts' } },
])
