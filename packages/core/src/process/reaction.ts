import { InvalidArgumentError } from '../errors.js'
import { copyOptions, namesOf } from '../option-values.js'
import type { AnyReaction } from './process.js'

const names = namesOf<AnyReaction>({
  state: true,
  emit: true,
  commands: true,
  timeouts: true,
  cancel: true,
  complete: true,
})

/** A reaction, as the handler gave it: a misspelt member must not be passed over in silence. @throws InvalidArgumentError */
export function checkedReaction(given: AnyReaction | undefined): AnyReaction {
  if (given instanceof Promise) {
    // what it comes to is nobody's business any more, not even as an unhandled rejection
    given.catch(() => undefined)
    throw new InvalidArgumentError(
      'reaction',
      'is a promise; handlers decide on what they are given, commands do the rest',
    )
  }
  const reaction = copyOptions<AnyReaction>(given, names, 'reaction') as AnyReaction
  for (const name of ['emit', 'commands', 'timeouts', 'cancel'] as const) {
    if (reaction[name] === undefined || Array.isArray(reaction[name])) continue
    throw new InvalidArgumentError(`reaction.${name}`, 'must be an array')
  }
  return reaction
}
