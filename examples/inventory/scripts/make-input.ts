import type { Expected, Refusal, StockRow } from '../src/expected.ts'

const TENANTS = ['acme', 'globex'] as const
// the first one is in both shops, and not the same thing
const ITEMS = {
  acme: ['bolt-m8', 'bolt-m10', 'nut-m8', 'washer-m8', 'angle-40', 'hinge-80'],
  globex: ['bolt-m8', 'screw-4x30', 'screw-5x60', 'dowel-8', 'hook-20'],
}
const BUSIEST = { tenant: 'acme', item: 'bolt-m8', movements: 1_050 }
const OTHERS = 150
const REASONS = { in: ['delivery', 'return', 'count'], out: ['order', 'scrap', 'count'] }

/** The same input each time: its dice are a linear congruential generator with a fixed seed. */
export function makeInput(): { lines: string[]; expected: Expected } {
  const lines: string[] = []
  const refused: { id: string; reason: Refusal }[] = []
  const rows = new Map<string, { -readonly [name in keyof StockRow]: StockRow[name] }>()
  let events = 0
  let seed = 20260401
  const below = (n: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * n)
  }
  const issue = (command: object): string => {
    const id = `movement-${String(lines.length + 1).padStart(4, '0')}`
    const at = new Date(Date.UTC(2026, 3, 1, 6) + lines.length * 97_000).toISOString()
    lines.push(JSON.stringify({ id, at, ...command }))
    return id
  }
  const rowOf = (tenant: string, item: string) => {
    const row = rows.get(`${tenant}/${item}`)
    if (row === undefined) throw new Error(`${tenant} has no ${item}`)
    return row
  }
  const reasonFor = (delta: number): string => {
    const reasons = delta < 0 ? REASONS.out : REASONS.in
    return reasons[below(reasons.length)] ?? ''
  }
  const adjust = (tenant: string, item: string, delta: number, via = tenant): void => {
    const id = issue({ via, tenant, item, do: 'adjust', delta, reason: reasonFor(delta) })
    const row = rowOf(tenant, item)
    if (via !== tenant) refused.push({ id, reason: 'wrong tenant' })
    else if (delta === 0) refused.push({ id, reason: 'zero delta' })
    else if (row.quantity + delta < 0) {
      refused.push({ id, reason: 'not enough stock' })
      events += 1
    } else {
      row.quantity += delta
      row.movements += 1
      events += 1
    }
  }

  for (const tenant of TENANTS) {
    for (const item of ITEMS[tenant]) {
      const name = `${item} of ${tenant}`
      issue({ via: tenant, tenant, item, do: 'create', name })
      rows.set(`${tenant}/${item}`, { tenant, item, name, quantity: 0, movements: 0 })
      events += 1
    }
  }
  const left = TENANTS.flatMap((tenant) =>
    ITEMS[tenant].map((item) => ({
      tenant,
      item,
      movements: tenant === BUSIEST.tenant && item === BUSIEST.item ? BUSIEST.movements : OTHERS,
    })),
  )
  for (let total = left.reduce((sum, { movements }) => sum + movements, 0); total > 0; total--) {
    const open = left.filter(({ movements }) => movements > 0)
    // the busy one is chosen more often, so that all end together
    let ticket = below(total)
    const chosen = open.find(({ movements }) => (ticket -= movements) < 0) ?? left[0]
    if (chosen === undefined) break
    chosen.movements--
    const { tenant, item } = chosen
    const dice = below(200)
    if (dice === 0) adjust(tenant, item, 0)
    else if (dice === 1)
      adjust(
        tenant,
        item,
        5,
        TENANTS.find((other) => other !== tenant),
      )
    else adjust(tenant, item, below(2) === 0 ? 1 + below(30) : -1 - below(28))
  }
  const stock = [...rows.values()].toSorted((a, b) =>
    a.tenant === b.tenant ? (a.item < b.item ? -1 : 1) : a.tenant < b.tenant ? -1 : 1,
  )
  return { lines, expected: { stock, refused, events } }
}
