/** The same options with every one of them given. */
export type Filled<Options> = { [Name in keyof Options]-?: Exclude<Options[Name], undefined> }
