import type { ServerAddress, ServerKind } from './server.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The servers to start, set in vitest.config.ts. */
    testServers: ServerKind[]
    postgres: ServerAddress
    mysql: ServerAddress
    mariadb: ServerAddress
  }
}
