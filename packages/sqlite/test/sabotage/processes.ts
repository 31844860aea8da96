import { newEvent } from '@varve/core'
import type {
  AnyProcess,
  AnyReaction,
  CommandExecution,
  EmittedEvent,
  EventStore,
  NewEvent,
  ProcessAdmin,
} from '@varve/core'
import { omit, replaced, type Fault } from './wrap.js'

type Broken = (process: AnyProcess, runs: number) => Partial<AnyProcess>

/** A store that runs its processes as somebody else wrote them; `runs` counts how often any were started before. */
function fault(name: string, broken: Broken, caughtBy = 'processes'): Fault {
  return {
    name,
    caughtBy,
    remembers() {
      let runs = 0
      return running((admin) => ({
        run(processes, options) {
          const before = runs++
          return admin.run(
            processes.map((process) => ({ ...process, ...broken(process, before) })),
            options,
          )
        },
      }))
    },
  }
}

const running =
  (members: (admin: ProcessAdmin) => Partial<ProcessAdmin>) =>
  (store: EventStore): Partial<EventStore> => ({
    processes: replaced(store.processes, members(store.processes)),
  })

/** The process with other reactions to events and timeouts. */
function reacting(process: AnyProcess, change: (reaction: AnyReaction) => AnyReaction): Partial<AnyProcess> {
  const changed = (reaction: AnyReaction | undefined) => reaction && change(reaction)
  return {
    handle: (...call) => changed(process.handle(...call)),
    fire: (...call) => changed(process.fire(...call)),
  }
}

/** The process with other executions of its commands. */
function executing(
  process: AnyProcess,
  change: (execution: CommandExecution) => CommandExecution,
): Partial<AnyProcess> {
  const commands = Object.entries(process.commands).map(
    ([name, command]) =>
      [name, (data: never, execution: CommandExecution) => command(data, change(execution))] as const,
  )
  return { commands: Object.fromEntries(commands) }
}

export const processFaults: readonly Fault[] = [
  fault('gives a command another id each time', (process) =>
    executing(process, (execution) => ({ ...execution, commandId: newEvent({ type: 'x', data: {} }).id })),
  ),
  fault('emits without ids of its own', (process) => ({
    ...reacting(process, ({ emit = [], commands = [], ...rest }) => ({
      ...rest,
      commands: [...emit.map((data) => ({ command: 'emit', data })), ...commands],
    })),
    commands: {
      ...process.commands,
      emit({ streamId, streamType, ...event }: EmittedEvent, { store, correlationId }: CommandExecution) {
        return store.append(streamId, [{ correlationId, ...event } as NewEvent], { streamType })
      },
    },
  })),
  fault('emits nothing', (process) => reacting(process, (reaction) => ({ ...reaction, emit: [] }))),
  fault('forgets the state between two events', (process) => ({
    handle: (_, event, context) => process.handle(process.initial() as never, event, context),
  })),
  fault('goes on after it is complete', (process) =>
    reacting(process, (reaction) => ({ ...reaction, complete: false })),
  ),
  fault('loses its timeouts when it is started again', (process, runs) =>
    runs === 0 ? {} : { fire: () => undefined },
  ),
  fault('fires timeouts that were cancelled', (process) =>
    reacting(process, (reaction) => ({
      ...reaction,
      cancel: [],
      complete: false,
      timeouts: reaction.timeouts?.map(({ name }) => ({ name, afterMs: 0 })),
    })),
  ),
  fault('loses the data of its timeouts', (process) =>
    reacting(process, (reaction) => ({
      ...reaction,
      timeouts: reaction.timeouts?.map((timeout) => omit(timeout, 'data')),
    })),
  ),
  fault('says that it carried out what failed', (process) => ({
    commands: Object.fromEntries(
      Object.entries(process.commands).map(([name, command]) => [
        name,
        async (data: never, execution: CommandExecution) => {
          try {
            await command(data, execution)
          } catch {
            // nobody hears of it
          }
        },
      ]),
    ),
  })),
  fault('goes on over an event that it cannot handle', (process) => ({
    handle(...call) {
      try {
        return process.handle(...call)
      } catch {
        return undefined
      }
    },
  })),
  fault('never gives up', () => ({ giveUpAfter: () => Infinity }), 'process-failures'),
  fault(
    'gives up one try too early',
    (process) => ({ giveUpAfter: (command) => process.giveUpAfter(command) - 1 }),
    'process-failures',
  ),
  fault(
    'does not tell the process what it gave up',
    () => ({ givenUp: () => undefined }),
    'process-failures',
  ),
  fault('hands out states as they were stored', () => ({ upgrade: (stored) => stored }), 'process-failures'),
  {
    name: 'fails in silence',
    caughtBy: 'process-failures',
    breaks: running((admin) => ({
      run: (processes, options) => admin.run(processes, { onFailure: () => undefined, ...options }),
    })),
  },
]
