import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readArchive } from '../../src/bundle/archive.ts'
import { archiveOf, type Entry, tarOf } from './archives.ts'

const limits = { maxBytes: 1 << 20, maxFiles: 4 }
const read = async (bytes: Uint8Array): Promise<ReadonlyMap<string, Uint8Array>> => await readArchive(bytes, limits)

function files(count: number): Entry[] {
  return Array.from({ length: count }, (_, i): Entry => [`file-${i}`, 'x'])
}

describe('an archive', () => {
  it('gives its files by name, without a leading slash or dot', async () => {
    const found = await read(
      await archiveOf(['/a', 'one'], ['./b/c', 'two'], ['dir', { type: 'directory' }], ['d', '']),
    )
    const texts = [...found].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)])
    expect(texts).toEqual([
      ['a', 'one'],
      ['b/c', 'two'],
      ['d', ''],
    ])
  })

  it('may hold as many entries as the limit, not one more', async () => {
    expect((await read(await archiveOf(...files(4)))).size).toBe(4)
    await expect(read(await archiveOf(...files(5)))).rejects.toThrow('too many files')
  })

  it('counts directories too', async () => {
    const folders = Array.from({ length: 5 }, (_, i): Entry => [`dir-${i}`, { type: 'directory' }])
    await expect(read(await archiveOf(...folders))).rejects.toThrow('too many files')
  })

  it('is refused where it would grow beyond the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(8 << 20))
    expect(bomb.length).toBeLessThan(16 << 10)
    await expect(read(bomb)).rejects.toThrow(/larger than/)
    await expect(read(await archiveOf(['big', Buffer.alloc(1 << 20)]))).rejects.toThrow(/larger than/)
  })

  it.each(['symlink', 'link'] as const)('is refused for a %s', async (type) => {
    const target = type === 'symlink' ? '/etc/passwd' : 'a'
    await expect(read(await archiveOf(['a', 'x'], ['trap', { type, linkname: target }]))).rejects.toThrow('`trap`')
  })

  it.each(['fifo', 'character-device', 'block-device'] as const)('is refused for a %s', async (type) => {
    await expect(read(await archiveOf(['trap', { type }]))).rejects.toThrow(`\`trap\`, which is a ${type}`)
  })

  it('is refused where it holds a name twice, however it is spelled', async () => {
    await expect(read(await archiveOf(['a', 'one'], ['a', 'two']))).rejects.toThrow('holds `a` twice')
    await expect(read(await archiveOf(['a', 'one'], ['./a', 'two']))).rejects.toThrow('holds `a` twice')
    await expect(read(await archiveOf(['/a', ''], ['a', 'two']))).rejects.toThrow('holds `a` twice')
  })
})

describe('bytes that are no archive', () => {
  it('are refused: nothing, no gzip, gzip of no tar', async () => {
    await expect(read(new Uint8Array())).rejects.toThrow()
    await expect(read(Buffer.from('a plain text'))).rejects.toThrow()
    await expect(read(await tarOf([['a', 'x']]))).rejects.toThrow()
    await expect(read(gzipSync(Buffer.alloc(2048, 'not a tar')))).rejects.toThrow()
  })

  it('are refused wherever they are cut off', async () => {
    const whole = await archiveOf(['a', 'x'.repeat(3000)], ['b', 'y'])
    for (const length of [1, 10, whole.length >> 1, whole.length - 1]) {
      await expect(read(whole.subarray(0, length)), `${length} bytes`).rejects.toThrow()
    }
    const tar = await tarOf([['a', 'x'.repeat(3000)]])
    for (const length of [100, 600, 2000]) {
      await expect(read(gzipSync(tar.subarray(0, length))), `${length} bytes of the tar`).rejects.toThrow()
    }
  })

  it('are refused where a bit is turned over', async () => {
    const whole = await archiveOf(['a', 'x'.repeat(3000)])
    const damaged = Buffer.from(whole)
    const at = damaged.length >> 1
    damaged[at] = (damaged[at] ?? 0) ^ 1
    await expect(read(damaged)).rejects.toThrow()
  })
})
