/** A value that JSON can hold. `undefined`, functions, `NaN`, `Date` and other class instances are none. */
export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** A JSON object. */
export type JsonObject = { [key: string]: JsonValue }
