import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { ForeignLogError, InvalidArgumentError, PartitionError } from '@varve/core'
import type { PgDriver } from '@varve/postgres'
import { eventColumnNames } from '@varve/sql'
import type { SqlSession } from '@varve/sql'
import type { ArchiveManifest } from './archive.js'
import { checkLine } from './archived-event.js'
import { refusing } from './call.js'
import { checkName } from './names.js'
import type { PartitionNames } from './names.js'

/** The path of a manifest, whose file lies beside it; a manifest and its bytes; or the name of a detached partition. */
export type RestoreSource = string | { manifest: ArchiveManifest; stream: Readable } | { detached: string }

const BATCH = 500

/** Brings a partition back: fills a table by itself, verifies it, and attaches it, all in one transaction. */
export async function restorePartition(
  driver: PgDriver,
  names: PartitionNames,
  source: RestoreSource,
): Promise<void> {
  const reattach = `select ${names.on('reattach_partition')}($1)`
  if (typeof source === 'object' && source !== null && 'detached' in source) {
    const name = checkName(source.detached, 'source.detached')
    await refusing(() => driver.patiently((session) => session.query(reattach, [name])))
    return
  }
  const { manifest, stream } = await openSource(source)
  try {
    await refusing(() =>
      driver.patiently(async (session) => {
        await checkManifest(session, names, manifest)
        await session.query(`select ${names.on('make_partition')}($1, $2::timestamptz, $3::timestamptz)`, [
          manifest.partition,
          manifest.from,
          manifest.to,
        ])
        await fill(session, names, manifest, stream)
        await session.query(reattach, [manifest.partition])
      }),
    )
  } finally {
    stream.destroy()
  }
}

async function openSource(source: unknown): Promise<{ manifest: ArchiveManifest; stream: Readable }> {
  if (typeof source === 'string') {
    const manifest = checked(JSON.parse(await readFile(source, 'utf8')))
    const file = join(dirname(source), manifest.file ?? '')
    return { manifest, stream: createReadStream(file) }
  }
  const { manifest, stream } = (source ?? {}) as { manifest?: unknown; stream?: unknown }
  if (!(stream instanceof Readable)) {
    throw new InvalidArgumentError(
      'source',
      "give a manifest's path, { manifest, stream } or { detached: name }",
    )
  }
  return { manifest: checked(manifest), stream }
}

function checked(value: unknown): ArchiveManifest {
  const manifest = value as Partial<ArchiveManifest> | null
  if (typeof manifest !== 'object' || manifest?.format !== 'varve-archive' || manifest.version !== 1) {
    throw new InvalidArgumentError(
      'source',
      'is no manifest of an archive that this version of varve can read',
    )
  }
  checkName(manifest.partition, 'manifest.partition')
  return manifest as ArchiveManifest
}

async function checkManifest(
  session: SqlSession,
  names: PartitionNames,
  { logId, partition }: ArchiveManifest,
): Promise<void> {
  const [row] = await session.query(
    `select m.value, p.name, p.detached_at is not null, to_regclass($2) is not null from ${names.on('varve_meta')} m ` +
      `left join ${names.on('event_partitions')} p on p.name = $1 where m.name = 'log_id'`,
    [partition, names.on(partition)],
  )
  const [own, known = null, taken, exists] = (row ?? []) as (string | null)[]
  if (own !== logId) {
    throw new ForeignLogError(
      `The archive of ${partition} was taken from log ${logId}, this is log ${String(own)}: its positions mean something else here.`,
    )
  }
  if (known === null) throw new PartitionError(`The log knows of no partition ${partition}.`)
  if (taken !== 't') throw new PartitionError(`${partition} is in the log, there is nothing to restore.`)
  if (exists === 't') {
    throw new PartitionError(
      `${partition} is only detached: restore({ detached: '${partition}' }) brings it back.`,
    )
  }
}

async function fill(
  session: SqlSession,
  names: PartitionNames,
  manifest: ArchiveManifest,
  stream: Readable,
): Promise<void> {
  const hash = createHash('sha256')
  const plain = new PassThrough()
  const unpack = manifest.compression === 'zstd' ? createZstdDecompress() : createGunzip()
  const hashing = async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, undefined> {
    for await (const chunk of source) {
      hash.update(chunk)
      yield chunk
    }
  }
  const reading = pipeline(stream, hashing, unpack, plain)
  // its error comes out below; the lines end early then
  reading.catch(() => undefined)
  // a JSON null would become one of SQL
  const values = eventColumnNames.map((name) =>
    name === 'event_data' ? "coalesce(event_data, 'null')" : name,
  )
  const insert =
    `insert into ${names.on(manifest.partition)} (${eventColumnNames.join(', ')}) ` +
    `select ${values.join(', ')} from json_populate_recordset(null::${names.events}, $1::json)`
  let batch: string[] = []
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await session.query(insert, [`[${batch.join(',')}]`])
    batch = []
  }
  const lines = createInterface({ input: plain, crlfDelay: Infinity })[Symbol.asyncIterator]()
  const unreadable = (error: unknown): never => {
    throw new PartitionError(`The archive of ${manifest.partition} cannot be read: ${String(error)}.`, error)
  }
  for (;;) {
    const line = await lines.next().catch(unreadable)
    if (line.done === true) break
    checkLine(line.value)
    batch.push(line.value)
    if (batch.length >= BATCH) await flush()
  }
  await reading.catch(unreadable)
  await flush()
  const sha256 = hash.digest('hex')
  if (sha256 !== manifest.sha256) {
    throw new PartitionError(
      `The archive of ${manifest.partition} is damaged: its SHA-256 is ${sha256}, its manifest says ${manifest.sha256}.`,
    )
  }
}
