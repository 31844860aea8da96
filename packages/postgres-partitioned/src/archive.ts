import { createHash } from 'node:crypto'
import type { Hash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import type { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import { InvalidArgumentError, PartitionError } from '@varve/core'
import type { PgDriver } from '@varve/postgres'
import type { SqlSession } from '@varve/sql'
import type { PartitionNames } from './names.js'

/** What an archive holds; stands beside it as `<partition>.manifest.json`. */
export interface ArchiveManifest {
  readonly format: 'varve-archive'
  readonly version: 1
  /** Of the log that it was taken from. */
  readonly logId: string
  readonly partition: string
  /** By `recordedAt`: inclusive, exclusive. */
  readonly from: string
  readonly to: string
  readonly events: number
  /** Null when it is empty. */
  readonly firstPosition: number | null
  readonly lastPosition: number | null
  readonly compression: 'gzip' | 'zstd'
  /** Beside the manifest; absent when it was written to a stream. */
  readonly file?: string
  /** Of the compressed bytes. */
  readonly bytes: number
  readonly sha256: string
}

/** A directory, which is made when it is missing, or a stream, which is ended. */
export type ArchiveTarget = ({ directory: string } | { stream: Writable }) & {
  /** `'gzip'` when absent. */
  compression?: 'gzip' | 'zstd'
}

const PAGE = 1_000
const extensions = { gzip: 'gz', zstd: 'zst' }

/** Writes a closed partition out. */
export async function archivePartition(
  driver: PgDriver,
  names: PartitionNames,
  name: string,
  target: ArchiveTarget,
): Promise<ArchiveManifest> {
  const { compression = 'gzip' } = target
  if (compression !== 'gzip' && compression !== 'zstd') {
    throw new InvalidArgumentError('compression', `must be 'gzip' or 'zstd', is '${String(compression)}'`)
  }
  return driver.patiently(async (session) => {
    await session.query('select pg_advisory_xact_lock(hashtextextended($1::text, 0))', [
      `varve archive of ${names.schema} ${name}`,
    ])
    const about = { ...(await describe(session, names, name)), compression }
    const manifest =
      'directory' in target
        ? await toDirectory(session, names, about, target.directory)
        : await toStream(session, names, about, target.stream)
    await session.query(
      `update ${names.on('event_partitions')} set archived_at = clock_timestamp(), archive_sha256 = $1 where name = $2`,
      [manifest.sha256, name],
    )
    return manifest
  })
}

type About = Omit<ArchiveManifest, 'bytes' | 'sha256' | 'file'>

async function describe(
  session: SqlSession,
  names: PartitionNames,
  name: string,
): Promise<Omit<About, 'compression'>> {
  const iso = (column: string): string =>
    `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')`
  const [row] = await session.query(
    `select p.closed_at is not null, p.dropped_at is not null, ${iso('p.starts_at')}, ${iso('p.ends_at')}, p.events, ` +
      `p.first_position, p.last_position, m.value from ${names.on('event_partitions')} p, ${names.on('varve_meta')} m ` +
      `where p.name = $1 and m.name = 'log_id'`,
    [name],
  )
  if (row === undefined) throw new PartitionError(`There is no partition ${name}.`)
  const [closed, dropped, from, to, events, first, last, logId] = row as (string | null)[]
  if (dropped === 't') throw new PartitionError(`${name} was dropped, there is nothing left to archive.`)
  if (closed !== 't')
    throw new PartitionError(`${name} is still open: what is appended to cannot be archived.`)
  return {
    format: 'varve-archive',
    version: 1,
    logId: logId ?? '',
    partition: name,
    from: from ?? '',
    to: to ?? '',
    events: Number(events),
    firstPosition: numberOrNull(first),
    lastPosition: numberOrNull(last),
  }
}

const numberOrNull = (value: string | null | undefined): number | null =>
  value === null || value === undefined ? null : Number(value)

async function toDirectory(
  session: SqlSession,
  names: PartitionNames,
  about: About,
  directory: string,
): Promise<ArchiveManifest> {
  await mkdir(directory, { recursive: true })
  const file = `${about.partition}.ndjson.${extensions[about.compression]}`
  const manifestFile = join(directory, `${about.partition}.manifest.json`)
  const complete = await completed(directory, manifestFile, { ...about, file })
  if (complete !== undefined) return complete

  const temporary = join(directory, `.${file}.tmp`)
  try {
    const written = await write(session, names, about, createWriteStream(temporary, { flush: true }))
    const manifest: ArchiveManifest = { ...about, file, ...written }
    await rename(temporary, join(directory, file))
    await writeFile(`${manifestFile}.tmp`, `${JSON.stringify(manifest, undefined, 2)}\n`, { flush: true })
    await rename(`${manifestFile}.tmp`, manifestFile)
    await syncDirectory(directory)
    return manifest
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function toStream(
  session: SqlSession,
  names: PartitionNames,
  about: About,
  stream: unknown,
): Promise<ArchiveManifest> {
  if (!(stream instanceof Writable))
    throw new InvalidArgumentError('target', 'give a directory or a writable stream')
  return { ...about, ...(await write(session, names, about, stream)) }
}

/** The manifest of an archive that was completed before, if its file is still what it says. */
async function completed(
  directory: string,
  manifestFile: string,
  about: About & { file: string },
): Promise<ArchiveManifest | undefined> {
  let manifest: ArchiveManifest
  try {
    manifest = JSON.parse(await readFile(manifestFile, 'utf8')) as ArchiveManifest
    const same = Object.entries(about).every(
      ([key, value]) => manifest[key as keyof ArchiveManifest] === value,
    )
    if (!same || manifest.sha256 !== (await hashOfFile(join(directory, about.file)))) return undefined
  } catch {
    // none, or what a kill has left of it: written anew
    return undefined
  }
  return manifest
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}

async function write(
  session: SqlSession,
  names: PartitionNames,
  about: About,
  target: Writable,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  const count = { bytes: 0, events: 0 }
  await session.script(`set local timezone = 'UTC'; set local datestyle = 'ISO'`)
  await pipeline(
    Readable.from(lines(session, names, about, count)),
    compressor(about.compression),
    hashed(hash, count),
    target,
  )
  if (count.events !== about.events) {
    throw new PartitionError(
      `${about.partition} holds ${count.events} events, ${about.events} when it was closed.`,
    )
  }
  return { bytes: count.bytes, sha256: hash.digest('hex') }
}

function compressor(compression: About['compression']): Transform {
  return compression === 'zstd' ? createZstdCompress() : createGzip()
}

async function* lines(
  session: SqlSession,
  names: PartitionNames,
  { partition }: About,
  count: { events: number },
): AsyncGenerator<string, undefined> {
  const text =
    `select position, row_to_json(e)::text from ${names.on(partition)} e where position > $1 ` +
    `order by position limit ${PAGE}`
  for (let after = '0'; ;) {
    const rows = await session.query(text, [after])
    const last = rows.at(-1)
    if (last === undefined) return
    after = String(last[0])
    count.events += rows.length
    yield rows.map((row) => `${String(row[1])}\n`).join('')
  }
}

function hashed(hash: Hash, count: { bytes: number }) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
    for await (const chunk of source) {
      hash.update(chunk)
      count.bytes += chunk.length
      yield chunk
    }
  }
}

/** A rename is lasting when its directory is. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(directory)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
