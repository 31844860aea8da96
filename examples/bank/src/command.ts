interface Issued {
  /** The id of the command, and of the event (the first, of two) that it leads to. */
  readonly id: string
  readonly at: Date
  readonly account: string
  readonly correlationId: string
  readonly userId: string
}

export type Command = Issued &
  (
    | { readonly command: 'open'; readonly accountNumber: string; readonly initialBalance: string }
    | { readonly command: 'deposit' | 'withdraw'; readonly amount: string; readonly reference: string }
    | {
        readonly command: 'transfer'
        readonly to: string
        readonly amount: string
        readonly reference: string
        /** The id of the event in the receiver's stream. */
        readonly creditId: string
      }
    | { readonly command: 'freeze' | 'unfreeze' | 'close'; readonly reason: string }
  )

/** The streams that the decision depends on. */
export function streamsOf(command: Command): string[] {
  return command.command === 'transfer' ? [command.account, command.to] : [command.account]
}
