/** The month so many months before this one, as `2024-03`. */
export function monthsAgo(months: number): string {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months)).toISOString().slice(0, 7)
}

export const partitionOf = (month: string): string => `events_${month.replace('-', '_')}`
