import type { Lease } from './leases.js'

// Leases spread over the processes by themselves: one that has fewer than another by two or more asks for some of the
// other's, and that one hands them over. Each move narrows the difference, so that they come to rest.

/** What the owner asks for: half of what the one with the most has beyond its own. */
export function wishes(leases: readonly Lease[], owner: string): readonly Lease[] {
  const held = byOwner(leases)
  const own = held.get(owner)?.length ?? 0
  let most: readonly Lease[] = []
  for (const [other, theirs] of held) {
    if (other !== owner && theirs.length > most.length) most = theirs
  }
  const more = Math.floor((most.length - own) / 2)
  return more < 1
    ? []
    : most.filter(({ wantedBy }) => wantedBy === undefined || wantedBy === owner).slice(-more)
}

/** What the owner hands over, to those who asked and have fewer by two or more. */
export function gifts(
  leases: readonly Lease[],
  owner: string,
): readonly (Lease & { readonly wantedBy: string })[] {
  const held = byOwner(leases)
  const counts = new Map([...held].map(([name, theirs]) => [name, theirs.length]))
  const count = (name: string): number => counts.get(name) ?? 0
  const given: (Lease & { readonly wantedBy: string })[] = []
  for (const lease of held.get(owner) ?? []) {
    const { wantedBy } = lease
    if (wantedBy === undefined || wantedBy === owner || count(owner) < count(wantedBy) + 2) continue
    counts.set(owner, count(owner) - 1)
    counts.set(wantedBy, count(wantedBy) + 1)
    given.push({ ...lease, wantedBy })
  }
  return given
}

function byOwner(leases: readonly Lease[]): Map<string, Lease[]> {
  const held = new Map<string, Lease[]>()
  for (const lease of leases) {
    if (lease.owner === '' || lease.expired) continue
    const theirs = held.get(lease.owner)
    if (theirs) theirs.push(lease)
    else held.set(lease.owner, [lease])
  }
  return held
}
