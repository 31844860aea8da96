// Runs before tsup in a package's build: empties dist, then writes declarations with the compiler's own tsc (tsup cannot with TypeScript 7).
// The CommonJS twin (.d.cts) is the same text with relative .js specifiers turned into .cjs.
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

const typescript = createRequire(join(process.cwd(), 'package.json')).resolve('typescript/package.json')
const tsc = join(dirname(typescript), JSON.parse(readFileSync(typescript, 'utf8')).bin.tsc)

rmSync('dist', { recursive: true, force: true })
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.build.json'], { stdio: 'inherit' })
if (status !== 0) process.exit(status ?? 1)

const relativeSpecifier = /((?:from|import)\s*\(?\s*['"]\.{1,2}\/[^'"]*?)\.js(['"])/g

for (const name of readdirSync('dist', { recursive: true, encoding: 'utf8' })) {
  if (!name.endsWith('.d.ts')) continue
  const declaration = join('dist', name)
  const twin = declaration.replace(/\.d\.ts$/, '.d.cts')
  const text = readFileSync(declaration, 'utf8')
  writeFileSync(
    twin,
    text
      .replace(relativeSpecifier, '$1.cjs$2')
      .replace(/(\/\/# sourceMappingURL=.*)\.d\.ts\.map/, '$1.d.cts.map'),
  )

  if (!existsSync(`${declaration}.map`)) continue
  const map = JSON.parse(readFileSync(`${declaration}.map`, 'utf8'))
  writeFileSync(`${twin}.map`, JSON.stringify({ ...map, file: map.file.replace(/\.d\.ts$/, '.d.cts') }))
}
