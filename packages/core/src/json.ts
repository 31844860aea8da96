/** A value that JSON can hold. `undefined`, functions, `NaN`, `Date` and other class instances are none. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue }

/**
 * `T` as a literal type, so that an interface counts as JSON: TypeScript gives interfaces no index signature, as they may be
 * extended elsewhere. What is no JSON becomes `never`.
 */
export type JsonOf<T> = T extends JsonValue
  ? T
  : T extends ((...args: never[]) => unknown) | symbol | bigint | undefined
    ? never
    : { -readonly [Key in keyof T]: JsonOf<T[Key]> }

/** The same, with what is `readonly` in `T`: what `T` has to be assignable to. */
export type ReadonlyJsonOf<T> = T extends JsonValue
  ? T
  : T extends ((...args: never[]) => unknown) | symbol | bigint | undefined
    ? never
    : { [Key in keyof T]: ReadonlyJsonOf<T[Key]> }
