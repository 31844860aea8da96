/** The names that statements use: quoted, with their schema. */
export interface Names {
  readonly schema: string
  readonly streams: string
  readonly events: string
  /** As `nextval` takes it, to be put between single quotes. */
  readonly positions: string
  readonly dataType: 'jsonb' | 'json'
}

export function namesIn(schema: string, dataType: 'jsonb' | 'json'): Names {
  const quoted = quoteName(schema)
  return {
    schema: quoted,
    streams: `${quoted}."event_streams"`,
    events: `${quoted}."events"`,
    positions: `${quoted}."events_position_seq"`.replaceAll("'", "''"),
    dataType,
  }
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
