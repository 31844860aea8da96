// Type-checks every ```ts block in the documentation and in the docstrings of the packages, against the sources.
import { spawnSync } from 'node:child_process'
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { blocksOf, modulesOf } from './extract.ts'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const generated = fileURLToPath(new URL('../generated', import.meta.url))

const pages = ['*.md', 'docs/**/*.md', 'packages/*/*.md', 'examples/*/*.md', 'packages/*/src/**/*.ts']
const documents = globSync(pages, { cwd: root })
  .filter((file) => !file.includes('generated') && !file.includes('doc-examples'))
  .toSorted()

mkdirSync(generated, { recursive: true })
const folder = mkdtempSync(join(generated, 'check-'))
try {
  const { documentOf, blocks } = extractAll()
  const output = compile([...documentOf.keys()])
  if (blocks === 0) throw new Error('no examples were found')
  if (output === undefined) console.log(`${blocks} examples in the documentation compile`)
  else {
    console.error(output.replace(/example-\d+\.ts/g, (name) => documentOf.get(name) ?? name))
    process.exitCode = 1
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** Writes each module of each document; gives which is whose. */
function extractAll(): { documentOf: Map<string, string>; blocks: number } {
  const documentOf = new Map<string, string>()
  let blocks = 0
  for (const document of documents) {
    const found = blocksOf(readFileSync(join(root, document), 'utf8'), 'ts')
    blocks += found.length
    for (const module of modulesOf(found)) {
      const name = `example-${documentOf.size}.ts`
      documentOf.set(name, document)
      writeFileSync(join(folder, name), module)
    }
  }
  return { documentOf, blocks }
}

/** Gives what the compiler has to say, if anything. */
function compile(files: readonly string[]): string | undefined {
  const compilerOptions = { moduleDetection: 'force' }
  const settings = { extends: '../../../../tsconfig.base.json', compilerOptions, files }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings))
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } }
  const args = [join(dirname(manifest), bin.tsc), '--project', folder, '--pretty', 'false']
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  return status === 0 ? undefined : stdout + stderr
}
