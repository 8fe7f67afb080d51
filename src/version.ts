import { readFileSync } from 'node:fs'

/** Of the package that holds this file, in a checkout and installed. */
export function version(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { readonly version: string }).version
}
