import { once } from 'node:events'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { extract } from 'tar-stream'

const unzip = promisify(gunzip)

/** Limits of an archive; what is larger is refused before it is held in memory. */
export interface ArchiveLimits {
  /** Bytes after decompression. */
  readonly maxBytes: number
  readonly maxFiles: number
}

/**
 * Reads a gzipped tar into memory.
 * @returns its regular files by name, without a leading `/` or `./`
 * @throws {Error} for anything that is not such an archive, or larger than the limits
 */
export async function readArchive(bytes: Uint8Array, limits: ArchiveLimits): Promise<ReadonlyMap<string, Uint8Array>> {
  const tar = await unzip(bytes, { maxOutputLength: limits.maxBytes })
  const files = new Map<string, Uint8Array>()
  const archive = extract()
  archive.on('entry', (header, stream, next) => {
    const name = header.name.replace(/^\.?\/+/, '')
    const chunks: Uint8Array[] = []
    stream.on('data', (chunk) => chunks.push(chunk as Uint8Array))
    stream.on('end', () => {
      if (header.type === 'file') files.set(name, Buffer.concat(chunks))
      next(refusal(header.type ?? 'unknown', name, files.size > limits.maxFiles))
    })
  })
  archive.end(tar)
  await once(archive, 'finish')
  return files
}

function refusal(type: string, name: string, tooMany: boolean): Error | undefined {
  if (tooMany) return new Error('the archive holds too many files')
  if (type !== 'file' && type !== 'directory') return new Error(`the archive holds \`${name}\`, which is a ${type}`)
  return undefined
}
