/** A tenant of its own: the example may run in a database that holds other events. */
export const TENANT = 'bank'
