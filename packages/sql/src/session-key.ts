/** Under it a transaction of the store's keeps its session; global, so that two copies of this package agree. */
export const SESSION: unique symbol = Symbol.for('@varve/sql/session')
