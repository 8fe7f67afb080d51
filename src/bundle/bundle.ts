import { PolicyError, textOf } from '../policy/errors.ts'
import { readArchive } from './archive.ts'

/** An OPA bundle, read and found to be one of ours. */
export interface Bundle {
  readonly revision: string
  readonly wasm: Uint8Array
}

const limits = { maxBytes: 64 * 1024 * 1024, maxFiles: 1000 }

/**
 * Reads an OPA bundle (a gzipped tar with `.manifest` and `policy.wasm`).
 * @throws {PolicyError} `bundle_unusable`, saying what is wrong with it
 */
export async function readBundle(bytes: Uint8Array): Promise<Bundle> {
  const files = await readArchive(bytes, limits).catch((thrown: unknown) => {
    throw new PolicyError('bundle_unusable', `it is not a gzipped tar: ${textOf(thrown)}`)
  })
  const wasm = files.get('policy.wasm')
  if (wasm === undefined) throw new PolicyError('bundle_unusable', 'it holds no policy.wasm: build it with -t wasm')
  return { revision: revisionOf(files.get('.manifest')), wasm }
}

function revisionOf(manifest: Uint8Array | undefined): string {
  if (manifest === undefined) throw new PolicyError('bundle_unusable', 'it holds no .manifest')
  const { revision, roots } = parsed(manifest)
  if (typeof revision !== 'string' || revision === '') {
    throw new PolicyError('bundle_unusable', 'its .manifest names no revision: build it with --revision')
  }
  // Without these roots the bundle would own data.mcp, and the data files would not be ours to set.
  if (!Array.isArray(roots) || roots.length !== 1 || roots[0] !== 'mcp/authz') {
    throw new PolicyError('bundle_unusable', 'its .manifest must have the roots ["mcp/authz"]')
  }
  return revision
}

function parsed(manifest: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(manifest))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below, with the other ways to be no manifest.
  }
  throw new PolicyError('bundle_unusable', 'its .manifest is not a JSON object')
}
