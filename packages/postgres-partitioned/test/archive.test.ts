import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gunzipSync, gzipSync, zstdDecompressSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ArchiveManifest } from '../src/index.js'
import { historyOf, inMonth, monthsAgo, partitionOf, some } from './history.js'
import { useDatabase } from './store.js'

const { fresh } = useDatabase()
const refused = { code: 'VARVE_PARTITION' }
const name = partitionOf(monthsAgo(2))

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'varve-archive-'))
})
afterEach(() => rm(directory, { recursive: true }))

const manifestPath = (): string => join(directory, `${name}.manifest.json`)

async function archived() {
  const opened = await fresh()
  const { store } = opened
  await inMonth(opened, monthsAgo(2), {
    a: [
      { type: 'odd', data: { text: 'a"b\\ü😀\n', big: 1e21, tiny: 5e-324, nested: [null, { x: [] }] } },
      {
        type: 'full',
        data: null,
        metadata: { m: 1 },
        tags: ['x:1', 'y "z", {}'],
        correlationId: 'c',
        causationId: 'd',
        createdBy: 'e',
        schemaVersion: 3,
        occurredAt: new Date('2001-02-03T04:05:06.789Z'),
      },
    ],
    b: some(1_200),
  })
  await store.append('a', some(1))
  const all = await store.readAll().toArray()
  const manifest = await store.partitions.archive(name, { directory })
  return { ...opened, all, manifest }
}

it('writes a month with its manifest, and brings it back as it was', async () => {
  const { store, sql, all, manifest, another } = await archived()
  const before = await sql(`select *, created_at::text as precise from ${name} order by position`)
  const bytes = await readFile(join(directory, manifest.file ?? ''))
  expect(manifest).toMatchObject({
    partition: name,
    events: 1_202,
    firstPosition: 1,
    lastPosition: 1_202,
    bytes: bytes.length,
  })
  expect(manifest.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
  expect(JSON.parse(await readFile(manifestPath(), 'utf8'))).toEqual(manifest)
  expect(gunzipSync(bytes).toString().trimEnd().split('\n')).toHaveLength(1_202)
  expect((await readdir(directory)).toSorted()).toEqual([`${name}.manifest.json`, `${name}.ndjson.gz`])

  const other = another()
  expect(await other.readAll().count()).toBe(all.length)
  await store.partitions.drop(name, { force: [name] })
  await expect(other.readAll().toArray()).rejects.toMatchObject(refused)
  await store.partitions.restore(manifestPath())

  expect(await other.readAll().toArray()).toEqual(all)
  expect(await store.readStream('a').toArray()).toEqual(all.filter(({ streamId }) => streamId === 'a'))
  expect(await sql(`select *, created_at::text as precise from ${name} order by position`)).toEqual(before)
  expect(await store.verify()).toMatchObject({ ok: true, events: all.length })
  expect((await store.partitions.list())[0]).toMatchObject({ name, state: 'closed', events: 1_202 })
  await expect(sql(`insert into events select * from ${name} limit 1`)).rejects.toThrow(/is closed/)
  await expect(sql(`delete from ${name}`)).rejects.toThrow(/append-only/)
  await expect(sql(`truncate ${name}`)).rejects.toThrow(/append-only/)
  await expect(store.partitions.restore(manifestPath())).rejects.toThrow(
    /is in the log, there is nothing to restore/,
  )
})

it('goes by streams and zstd too', async () => {
  const { store, all, sql } = await archived()
  const stream = new PassThrough()
  const [manifest, bytes] = await Promise.all([
    store.partitions.archive(name, { stream, compression: 'zstd' }),
    buffer(stream),
  ])
  expect(zstdDecompressSync(bytes).toString().split('\n')).toHaveLength(1_203)
  await store.partitions.drop(name, { force: [name] })
  await store.partitions.restore({ manifest, stream: Readable.from([bytes]) })
  expect(await store.readAll().toArray()).toEqual(all)
  expect(await sql(`select archive_sha256 as sha from event_partitions where name = '${name}'`)).toEqual([
    { sha: manifest.sha256 },
  ])
})

it('is completed after a kill, and leaves alone what is complete', async () => {
  const { store, manifest } = await archived()
  const file = join(directory, manifest.file ?? '')
  const first = await readFile(file)
  // killed while writing: half a temporary file, and no manifest yet
  await rm(manifestPath())
  await writeFile(join(directory, `.${manifest.file}.tmp`), first.subarray(0, 1_000))
  expect(await store.partitions.archive(name, { directory })).toEqual(manifest)
  // killed between the two renames, by somebody whose file is not this one
  await writeFile(file, first.subarray(0, 1_000))
  expect(await store.partitions.archive(name, { directory })).toEqual(manifest)
  expect(await readFile(file)).toEqual(first)
  await writeFile(manifestPath(), 'half a man')
  expect(await store.partitions.archive(name, { directory })).toEqual(manifest)
  expect(JSON.parse(await readFile(manifestPath(), 'utf8'))).toEqual(manifest)
  expect((await readdir(directory)).toSorted()).toEqual([`${name}.manifest.json`, `${name}.ndjson.gz`])
})

it('leaves nothing behind when the archive is damaged, foreign or another one', async () => {
  const { store, manifest, sql } = await archived()
  await store.partitions.drop(name, { force: [name] })
  const file = join(directory, manifest.file ?? '')
  const good = await readFile(file)
  const lines = gunzipSync(good).toString()
  const attempt = async (bytes: Buffer, change: Partial<ArchiveManifest> = {}, sha = true) => {
    const sha256 = sha ? createHash('sha256').update(bytes).digest('hex') : manifest.sha256
    await store.partitions.restore({
      manifest: { ...manifest, sha256, ...change },
      stream: Readable.from([bytes]),
    })
  }
  const changed = gzipSync(
    lines.replace('"number":7}', '"number":8}').replace('"number": 7}', '"number": 8}'),
  )
  await expect(attempt(changed)).rejects.toMatchObject({ code: 'VARVE_CHECKSUM' })
  await expect(attempt(gzipSync(`${lines}no json\n`))).rejects.toMatchObject({ code: 'VARVE_SERIALIZATION' })
  await expect(attempt(gzipSync(lines, { level: 1 }), {}, false)).rejects.toThrow(/is damaged: its SHA-256/)
  await expect(attempt(good.subarray(0, 500))).rejects.toThrow(/cannot be read/)
  await expect(attempt(gzipSync(lines.slice(lines.indexOf('\n') + 1)))).rejects.toThrow(
    /held 1202 events at positions 1 to 1202/,
  )
  await expect(attempt(good, { logId: 'another' })).rejects.toMatchObject({ code: 'VARVE_FOREIGN_LOG' })
  await expect(attempt(good, { partition: 'events_1999_01' })).rejects.toMatchObject(refused)
  await expect(
    store.partitions.restore({ manifest: {} as ArchiveManifest, stream: Readable.from([]) }),
  ).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
  expect(await sql(`select to_regclass('${name}') as name`)).toEqual([{ name: null }])
  await attempt(good)
  expect(await store.readAll().count()).toBe(1_203)
})

it('refuses to bring ids back that were used again', async () => {
  const opened = await fresh()
  const { store } = opened
  const own = { id: '0192f3a0-0000-7000-8000-00000000000a', type: 'tested', data: 1 }
  await inMonth(opened, monthsAgo(2), { a: [own] })
  await store.partitions.archive(name, { directory })
  await store.partitions.drop(name, { force: [name] })
  expect(await store.append('b', [own])).toMatchObject({ duplicate: false, version: 1 })
  await expect(store.partitions.restore(manifestPath())).rejects.toThrow(
    `ids of ${name} were stored again since it was taken out: ${own.id}`,
  )
  expect(await store.verify()).toMatchObject({ ok: true, events: 1 })
})

it('archives and drops what is detached, and puts it back from its table', async () => {
  const { store, all, another } = await archived()
  const other = another()
  await store.partitions.detach(name, { force: [name] })
  expect((await store.partitions.list())[0]).toMatchObject({ name, state: 'detached' })
  await expect(other.readAll().toArray()).rejects.toThrow(/were detached with/)
  await expect(store.partitions.restore(manifestPath())).rejects.toThrow(/is only detached/)
  await store.partitions.restore({ detached: name })
  expect(await other.readAll().toArray()).toEqual(all)
  await store.partitions.detach(name, { force: [name] })
  const second = join(directory, 'second')
  expect((await store.partitions.archive(name, { directory: second })).events).toBe(1_202)
  expect(await store.partitions.drop(name)).toEqual([name])
  await store.partitions.restore(join(second, `${name}.manifest.json`))
  expect(await other.readAll().toArray()).toEqual(all)
})

it('refuses months that may still be appended to, or are gone', async () => {
  const opened = await fresh()
  const { store } = opened
  await historyOf(opened, 3)
  await expect(store.partitions.archive(partitionOf(monthsAgo(0)), { directory })).rejects.toThrow(
    /still open/,
  )
  await expect(store.partitions.archive('events_1999_01', { directory })).rejects.toMatchObject(refused)
  await store.partitions.drop(name, { force: [name] })
  await expect(store.partitions.archive(name, { directory })).rejects.toThrow(/was dropped/)
  await expect(
    store.partitions.archive(name, { directory, compression: 'lzma' as 'gzip' }),
  ).rejects.toMatchObject({ code: 'VARVE_INVALID_ARGUMENT' })
  expect(await readdir(directory)).toEqual([])
})

it('lets readers that had passed a month go on, and new ones read it', async () => {
  const { store, all, another } = await archived()
  const reader = another()
  const after = all.at(-2)?.position ?? 0
  expect(await reader.readAll({ after }).count()).toBe(1)
  await store.partitions.drop(name, { force: [name] })
  await store.append('later', some(2))
  await store.partitions.restore(manifestPath())
  expect((await reader.readAll({ after }).toArray()).map(({ streamId }) => streamId)).toEqual([
    'a',
    'later',
    'later',
  ])
  expect(await reader.readAll().count()).toBe(all.length + 2)
})
