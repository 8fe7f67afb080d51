import { once } from 'node:events'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { extract } from 'tar-stream'

const unzip = promisify(gunzip)

/** Limits of an archive; what is larger is refused before it is held in memory. */
export interface ArchiveLimits {
  /** Bytes after decompression. */
  readonly maxBytes: number
  /** Directories count too. */
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
  let entries = 0
  const archive = extract()
  archive.on('entry', (header, stream, next) => {
    const name = header.name.replace(/^\.?\/+/, '')
    const chunks: Uint8Array[] = []
    stream.on('data', (chunk) => chunks.push(chunk as Uint8Array))
    // A file that is cut off is an error of the archive, told below; unheard on the stream it would end the process.
    stream.on('error', () => undefined)
    stream.on('end', () => {
      entries += 1
      const refusal = refusalOf(header.type ?? 'unknown', name, {
        twice: files.has(name),
        tooMany: entries > limits.maxFiles,
      })
      if (refusal === undefined && header.type === 'file') files.set(name, Buffer.concat(chunks))
      next(refusal)
    })
  })
  archive.end(tar)
  await once(archive, 'finish')
  return files
}

function refusalOf(type: string, name: string, found: { twice: boolean; tooMany: boolean }): Error | undefined {
  if (found.tooMany) return new Error('the archive holds too many files')
  // Whoever looked at the first would have looked at another file than the one that is used.
  if (found.twice) return new Error(`the archive holds \`${name}\` twice`)
  if (type !== 'file' && type !== 'directory') return new Error(`the archive holds \`${name}\`, which is a ${type}`)
  return undefined
}
