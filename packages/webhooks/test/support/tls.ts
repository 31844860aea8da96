import { readFileSync } from 'node:fs'

/** In PEM. */
export function certificate(name: 'ca' | 'valid' | 'expired'): string {
  return readFileSync(new URL(`tls/${name}.pem`, import.meta.url), 'utf8')
}

/** For a server on loopback. */
export function tlsOf(name: 'valid' | 'expired'): { key: string; cert: string } {
  return { key: readFileSync(new URL(`tls/${name}.key`, import.meta.url), 'utf8'), cert: certificate(name) }
}
