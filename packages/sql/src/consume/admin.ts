import { InvalidArgumentError, projectionName, resolveRun } from '@varve/core'
import type {
  ParkedEvent,
  ParkedFilter,
  Projection,
  ProjectionAdmin,
  ProjectionInfo,
  ProjectionRunner,
} from '@varve/core'
import type { ResolvedStoreOptions, RunOptions } from '@varve/core'
import type { SqlSession, SqlValue } from '../driver.js'
import type { Lifecycle } from '../lifecycle.js'
import { binder } from '../where.js'
import { FREE_STATUS } from './checkpoint.js'
import { describeProjections } from './describe.js'
import { readLogId } from './log-identity.js'
import type { ParkedRow, ParkedSelection } from './parked.js'
import type { RunContext } from './run-context.js'
import { Runner } from './runner.js'

export interface AdminContext<Client> extends Omit<RunContext<Client>, 'options' | 'lifecycle'> {
  readonly lifecycle: Lifecycle
  readonly options: ResolvedStoreOptions
  /** Has the runner stopped when the store is closed. */
  readonly started: (runner: { readonly over: Promise<void>; stop(): Promise<void> }) => void
}

/** What goes with an update of checkpoints. */
interface Around {
  readonly condition?: string
  /** In the same transaction. */
  readonly before?: (session: SqlSession) => Promise<unknown>
  readonly after?: (session: SqlSession) => Promise<unknown>
}

/** Looking after projections, by one tenant's handle or (not `bound`) by the store that was opened. */
export class SqlProjectionAdmin<Client> implements ProjectionAdmin<Client> {
  readonly #context: AdminContext<Client>
  readonly #tenantId: string
  readonly #bound: boolean

  constructor(context: AdminContext<Client>, tenantId: string, bound: boolean) {
    this.#context = context
    this.#tenantId = tenantId
    this.#bound = bound
  }

  run(projections: readonly Projection<Client>[], options?: RunOptions): ProjectionRunner {
    const { lifecycle, options: storeOptions, ...shared } = this.#context
    lifecycle.check('projections.run')
    const resolved = resolveRun(options, storeOptions.projections)
    const members = this.#check(projections).flatMap((projection) => {
      const { name, version, shards } = projection
      const tenantId = projection.allTenants ? '' : this.#tenantId
      return Array.from({ length: shards }, (_, shard) => ({
        projection,
        key: { tenantId, name, version, shard },
      }))
    })
    const runner = new Runner({ ...shared, lifecycle, options: resolved }, members)
    this.#context.started(runner)
    return runner
  }

  async list(): Promise<ProjectionInfo[]> {
    return this.#call('projections.list', () =>
      describeProjections(this.#context, (row) => !this.#bound || row.tenantId === this.#tenantId),
    )
  }

  async get(name: string, version?: number): Promise<ProjectionInfo | undefined> {
    projectionName(name, 'name')
    const found = await this.#call('projections.get', () =>
      describeProjections(
        this.#context,
        (row) => row.name === name && this.#tenants().includes(row.tenantId),
      ),
    )
    if (version !== undefined) return found.find((info) => info.version === version)
    // while a newer one is being built, the one in charge is another
    return found.find((info) => info.status !== 'rebuilding') ?? found[0]
  }

  async pause(name: string, version?: number): Promise<void> {
    await this.#update('projections.pause', name, version, `status = 'paused'`, [], {
      condition: `status <> 'paused'`,
    })
  }

  async resume(name: string, version?: number): Promise<void> {
    const set = `status = ${FREE_STATUS}, error_message = null`
    await this.#update('projections.resume', name, version, set, [], {
      condition: `status in ('paused', 'faulted')`,
    })
  }

  async reset(name: string, position: number, version?: number): Promise<void> {
    if (!Number.isSafeInteger(position) || position < 0) {
      throw new InvalidArgumentError('position', `must be a whole number from 0 on, is ${String(position)}`)
    }
    const { dialect, query, log, parked } = this.#context
    await this.#call('projections.reset', async () => {
      const { settled } = await dialect.settled.look()
      if (position > settled) {
        throw new InvalidArgumentError(
          'position',
          `${position} lies beyond ${settled}, up to where the log is settled`,
        )
      }
      const logId = await readLogId(query, dialect)
      const event = await log.at(query, position)
      const remembered = [event?.id ?? null, event?.position ?? null]
      const set =
        'last_position = $1, log_id = $2, last_event_id = $3, last_event_position = $4, error_message = null, ' +
        `status = case when status = 'paused' then 'paused' when in_charge = 1 then 'running' else 'rebuilding' end`
      const selection = this.#selection(name, { ...(version !== undefined && { version }) })
      // they are handled again with all the others, and could not be parked again
      const discard = (session: SqlSession) => parked.discard(session, { ...selection, after: position })
      await this.#update('projections.reset', name, version, set, [position, logId, ...remembered], {
        // locked in the order in which a runner does it
        before: discard,
        // what was parked by the last piece that this waited for
        after: discard,
      })
    })
  }

  async rebuild(name: string, version?: number): Promise<void> {
    const { dialect } = this.#context
    await this.#call('projections.rebuild', async () => {
      const { high } = await dialect.settled.look()
      const set =
        "pending_step = case when pending_step is null then 'reset' else pending_step end, status = 'rebuilding', " +
        'error_message = null, target_position = $1'
      await this.#update('projections.rebuild', name, version, set, [high])
    })
  }

  readonly parked: ProjectionAdmin['parked'] = {
    list: async (name, filter = {}): Promise<ParkedEvent[]> => {
      const rows = await this.#call('projections.parked.list', () =>
        this.#context.parked.list(this.#context.query, this.#selection(name, filter)),
      )
      return rows.map(toParkedEvent)
    },
    retry: async (name, filter = {}): Promise<number> => {
      const { driver, parked, tail } = this.#context
      const asked = await this.#call('projections.parked.retry', () =>
        driver.transaction((session) => parked.request(session, this.#selection(name, filter))),
      )
      tail.projectionsChanged()
      return asked
    },
    discard: async (name, filter = {}): Promise<number> => {
      const { driver, parked, tail } = this.#context
      const gone = await this.#call('projections.parked.discard', () =>
        driver.transaction((session) => parked.discard(session, this.#selection(name, filter))),
      )
      tail.projectionsChanged()
      return gone
    },
  }

  /** Of its own tenant; the store that was opened acts on projections over all tenants too. */
  #tenants(): string[] {
    return this.#bound ? [this.#tenantId] : [this.#tenantId, '']
  }

  #selection(name: string, filter: ParkedFilter & { position?: number }): ParkedSelection {
    projectionName(name, 'name')
    const known = new Set(['version', 'tenantId', 'streamId', 'position'])
    for (const option of Object.keys(filter)) {
      if (!known.has(option)) throw new InvalidArgumentError(option, 'there is no such option')
    }
    return {
      tenantIds: this.#tenants(),
      name,
      version: filter.version,
      eventTenantId: filter.tenantId,
      streamId: filter.streamId,
      position: filter.position,
    }
  }

  async #update(
    operation: string,
    name: string,
    version: number | undefined,
    set: string,
    values: readonly SqlValue[],
    { condition, before, after }: Around = {},
  ): Promise<void> {
    projectionName(name, 'name')
    const { dialect, driver, query, tail } = this.#context
    await this.#call(operation, async () => {
      const { params, bind } = binder()
      for (const value of values) bind(value)
      const where = [
        `projection_name = ${bind(name)}`,
        dialect.filter.anyOf('tenant_id', this.#tenants(), bind),
      ]
      if (version !== undefined) where.push(`projection_version = ${bind(version)}`)
      const table = dialect.table('projection_checkpoints')
      const which = where.join(' and ')
      const text = `update ${table} set ${set} where ${which}${condition === undefined ? '' : ` and ${condition}`}`
      const found = await driver.transaction(async (session) => {
        await before?.(session)
        const rows = await session.execute(text, params)
        await after?.(session)
        return rows
      })
      if (found === 0) {
        const rows = await query(
          `select 1 from ${table} where ${shifted(which, values.length)} limit 1`,
          params.slice(values.length),
        )
        if (rows.length === 0) throw unknown(name, version)
      }
    })
    tail.projectionsChanged()
  }

  #check(projections: readonly Projection<Client>[]): readonly Projection<Client>[] {
    const seen = new Set<string>()
    if (!Array.isArray(projections) || projections.length === 0) {
      throw new InvalidArgumentError('projections', 'must be an array of at least one projection')
    }
    for (const [index, projection] of (projections as readonly Projection<Client>[]).entries()) {
      if (typeof projection?.onError?.retries !== 'number') {
        throw new InvalidArgumentError(
          `projections[${index}]`,
          'must be what defineProjection gives; processes (defineProcess) are run by store.processes.run',
        )
      }
    }
    for (const { name, version, allTenants } of projections) {
      const label = `${name} v${version}`
      if (seen.has(label)) throw new InvalidArgumentError('projections', `'${label}' is among them twice`)
      seen.add(label)
      if (!allTenants || !this.#bound) continue
      throw new InvalidArgumentError(
        'projections',
        `'${name}' reads all tenants, and this handle is bound to '${this.#tenantId}'; run it on the store that was opened`,
      )
    }
    return [...projections]
  }

  #call<T>(operation: string, work: () => Promise<T>): Promise<T> {
    return this.#context.lifecycle.run(operation, work)
  }
}

function toParkedEvent(row: ParkedRow): ParkedEvent {
  const { tenantId, streamId, position, eventId, eventType, version, errorMessage, attempts, parkedAt } = row
  return { tenantId, streamId, position, eventId, eventType, version, errorMessage, attempts, parkedAt }
}

/** The same condition with its parameters numbered from 1 on. */
function shifted(condition: string, by: number): string {
  return condition.replaceAll(/\$(\d+)/g, (_, number: string) => `$${Number(number) - by}`)
}

function unknown(name: string, version: number | undefined): InvalidArgumentError {
  const which = version === undefined ? `'${name}'` : `'${name}' v${version}`
  return new InvalidArgumentError(
    'name',
    `there is no projection ${which} here; it is known from when it is first run`,
  )
}
