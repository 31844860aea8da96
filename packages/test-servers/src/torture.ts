/** `pnpm torture` sets it: the same tests, for as long and as large as nobody would wait for each time. */
export const TORTURE = process.env['VARVE_TORTURE'] === '1'

/** For tests that are larger then. */
export const SIZES_TIMEOUT_MS = TORTURE ? 900_000 : 30_000

/** How long processes are killed for. */
export const CHAOS_MS = Number(process.env['VARVE_CHAOS_MS'] ?? (TORTURE ? 60_000 : 5_000))

/** For tests that take `CHAOS_MS`, with room for what comes before and after. */
export const CHAOS_TIMEOUT_MS = CHAOS_MS * 2 + 60_000
