import { defineConfig } from 'tsup'

// the signature module is an entry of its own: a receiver loads it without any database
export default defineConfig({
  entry: { index: 'src/index.ts', 'signature/index': 'src/signature/index.ts' },
  format: ['esm', 'cjs'],
  target: 'node22',
  dts: false,
  sourcemap: true,
  clean: false,
})
