import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { bundle } from '../policy/questions.ts'

/** An entry of an archive: a file with its bytes, or anything else a tar may hold. */
export type Entry = readonly [name: string, content: string | Uint8Array | Partial<Pick<Header, 'type' | 'linkname'>>]

/** A tar of these entries, in this order. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack()
  for (const [name, content] of entries) {
    if (typeof content === 'string' || content instanceof Uint8Array) archive.entry({ name }, Buffer.from(content))
    else archive.entry({ name, ...content })
  }
  archive.finalize()
  return Buffer.from(await buffer(archive))
}

/** The same, gzipped. */
export async function archiveOf(...entries: readonly Entry[]): Promise<Buffer> {
  return gzipSync(await tarOf(entries))
}

/** A manifest that names a revision and our roots, with changes; a key that is undefined is left out. */
export function manifest(changes: Readonly<Record<string, unknown>> = {}): Entry {
  return ['.manifest', JSON.stringify({ revision: 'r1', roots: ['mcp/authz'], ...changes })]
}

/** The policy that ships with the package. */
export const policy: Entry = ['policy.wasm', bundle.wasm]
