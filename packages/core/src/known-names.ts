/** Calls `refuse` with the first own enumerable name of `value` that is not among `known`, and what was probably meant. */
export function refuseUnknown(
  value: object,
  known: ReadonlySet<string>,
  refuse: (name: string, hint: string) => Error,
): void {
  for (const name of Object.keys(value)) {
    if (!known.has(name)) throw refuse(name, hintFor(name, known))
  }
}

function hintFor(name: string, known: ReadonlySet<string>): string {
  const near = nearest(name, known)
  return near === undefined ? `known are ${[...known].join(', ')}` : `did you mean '${near}'?`
}

/** The known name that a typing error most likely meant, if any is near enough. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  if (name.length > 64) return undefined
  let best: string | undefined
  // two wrong letters of three are another word
  let bestDistance = Math.max(name.length > 3 ? 2 : 1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = distanceOf(name.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance]
  }
  return best
}

/** A beginning, such as `meta`, is as near as a single wrong letter. */
function distanceOf(name: string, candidate: string): number {
  return name.length >= 3 && candidate !== name && candidate.startsWith(name)
    ? 1
    : editDistance(name, candidate)
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const substitute = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitute, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
