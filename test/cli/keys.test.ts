import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { pems } from '../config/workspace.ts'
import { config, folder, project, runIn } from './terminal.ts'

const text = async (...path: string[]): Promise<string> => await readFile(join(...path), 'utf8')
const mode = async (...path: string[]): Promise<number> => (await stat(join(...path))).mode & 0o777

async function publicKids(directory: string): Promise<string[]> {
  const { out } = await runIn(directory, ['keys', 'public'])
  return (JSON.parse(out) as { keys: { kid: string }[] }).keys.map(({ kid }) => kid)
}

describe('keys generate', () => {
  it('writes a private key nobody else can read where the configuration names it', async () => {
    const directory = await folder({ 'mcp-authz.yaml': config })
    expect(await runIn(directory, ['keys', 'generate'])).toEqual({ code: 0, out: `${directory}/key.pem\n`, err: '' })
    expect(await mode(directory, 'key.pem')).toBe(0o600)
    expect(createPrivateKey(await text(directory, 'key.pem')).asymmetricKeyDetails?.namedCurve).toBe('prime256v1')
  })

  it('writes where --out says, into a folder it makes', async () => {
    const directory = await folder()
    const { code } = await runIn(directory, ['keys', 'generate', '--out', 'keys/new.pem'])
    expect(code).toBe(0)
    expect(await mode(directory, 'keys/new.pem')).toBe(0o600)
    expect(await mode(directory, 'keys')).toBe(0o700)
  })

  it('writes the key of the embedded default where nothing is configured', async () => {
    const directory = await folder()
    expect((await runIn(directory, ['keys', 'generate'])).code).toBe(0)
    expect(await mode(directory, '.mcp-authz/capability-key.pem')).toBe(0o600)
  })

  it('never writes over a file', async () => {
    const directory = await project()
    const { code, out, err } = await runIn(directory, ['keys', 'generate'])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/key\.pem`: it exists; use `keys rotate`/)
    expect(await text(directory, 'key.pem')).toBe(pems.pkcs8)
  })

  it('is exit 2 where it cannot write, or no key is named', async () => {
    const directory = await folder({ file: '', 'other.yaml': config.replace(/^capabilities.*$/m, '') })
    expect((await runIn(directory, ['keys', 'generate', '--out', 'file/key.pem'])).code).toBe(2)
    const { code, err } = await runIn(directory, ['keys', 'generate', '--config', 'other.yaml'])
    expect(code).toBe(2)
    expect(err).toContain('names no capabilities.key.file')
  })
})

describe('keys public', () => {
  it('prints a JWK Set, and with --pem what a broker trusts', async () => {
    const directory = await project()
    const { out } = await runIn(directory, ['keys', 'public'])
    const { keys } = JSON.parse(out) as { keys: Record<string, string>[] }
    expect(keys).toHaveLength(1)
    expect(Object.keys(keys[0] ?? {}).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y'])
    const pem = await runIn(directory, ['keys', 'public', '--pem'])
    expect(pem).toEqual({ code: 0, out: pems.spki, err: '' })
    expect(createPublicKey(pem.out).export({ format: 'jwk' })).toMatchObject({ x: keys[0]?.['x'] })
  })
})

describe('keys rotate', () => {
  it('puts another key in place, and keeps publishing the old ones', async () => {
    const directory = await project()
    const [first] = await publicKids(directory)
    const { code, out } = await runIn(directory, ['keys', 'rotate'])
    expect(code).toBe(0)
    const [second, ...retired] = await publicKids(directory)
    expect(second).not.toBe(first)
    expect(retired).toEqual([first])
    const [retiredKey] = JSON.parse(await text(directory, 'key.pem.retired.json')) as { until: number }[]
    const until = new Date((retiredKey?.until ?? 0) * 1000).toISOString()
    const signs = `key ${second} signs once a running service has published it for 60 s, and after a start at once`
    expect(out).toBe(`${directory}/key.pem: ${signs}; ${first} is retired and stays published until ${until}\n`)
    await runIn(directory, ['keys', 'rotate'])
    const [third, ...all] = await publicKids(directory)
    expect(all).toEqual([second, first])
    expect(third).not.toBe(second)
    expect((await runIn(directory, ['keys', 'public', '--pem'])).out.match(/BEGIN/g)).toHaveLength(1)
  })

  it('keeps the private key to its owner, and no private key among the retired', async () => {
    const directory = await project()
    await runIn(directory, ['keys', 'rotate'])
    expect(await mode(directory, 'key.pem')).toBe(0o600)
    expect(await text(directory, 'key.pem.retired.json')).not.toMatch(/"d"|PRIVATE/)
  })
})

describe('keys rotate --publish-only', () => {
  it('does it in two steps', async () => {
    const directory = await project()
    const [first] = await publicKids(directory)
    expect((await runIn(directory, ['keys', 'public', '--next'])).code).toBe(2)
    const { code, out } = await runIn(directory, ['keys', 'rotate', '--publish-only'])
    const [signing, next, ...others] = await publicKids(directory)
    expect({ code, signing, others }).toEqual({ code: 0, signing: first, others: [] })
    expect(out).toBe(
      `${directory}/key.pem: key ${next} is published, ${first} goes on signing until the next \`keys rotate\`\n`,
    )
    expect(await mode(directory, 'key.pem.next.pem')).toBe(0o600)
    expect((await runIn(directory, ['keys', 'public', '--pem'])).out).toBe(pems.spki)
    const nextPem = (await runIn(directory, ['keys', 'public', '--pem', '--next'])).out
    expect(nextPem).not.toBe(pems.spki)
    expect(JSON.parse((await runIn(directory, ['keys', 'public', '--next'])).out)).toMatchObject({
      keys: [{ kid: next }],
    })

    const again = await runIn(directory, ['keys', 'rotate', '--publish-only'])
    expect(again.code).toBe(2)
    expect(again.err).toContain('`keys rotate` makes it sign')
    expect((await runIn(directory, ['keys', 'rotate'])).code).toBe(0)
    expect(await publicKids(directory)).toEqual([next, first])
    expect((await runIn(directory, ['keys', 'public', '--pem'])).out).toBe(nextPem)
    await expect(stat(join(directory, 'key.pem.next.pem'))).rejects.toThrow('ENOENT')
    expect(await readdir(directory)).not.toContainEqual(expect.stringMatching(/[0-9a-f]{8}-/))
  })
})

describe('keys that were rotated out', () => {
  it('drops keys whose last token has died', async () => {
    const directory = await project()
    await runIn(directory, ['keys', 'rotate'])
    const file = join(directory, 'key.pem.retired.json')
    const [old] = JSON.parse(await text(file)) as { jwk: { kid: string }; retiredAt: number; until: number }[]
    const { retiredAt = 0, until = 0 } = old ?? {}
    // What it has published ahead, the longest life of a token of then, and a margin for clocks.
    expect(until - retiredAt).toBe(60 + 300 + 300)
    const now = Math.floor(Date.now() / 1000)
    await writeFile(file, JSON.stringify([{ ...old, until: now + 60 }]))
    expect(await publicKids(directory)).toHaveLength(2)
    await writeFile(file, JSON.stringify([{ ...old, until: now - 1 }]))
    expect(await publicKids(directory)).toHaveLength(1)
    await runIn(directory, ['keys', 'rotate'])
    expect(JSON.parse(await text(file))).toHaveLength(1)
  })

  it('leaves everything as it is where the key cannot be read', async () => {
    const directory = await project({ 'key.pem': pems.p384 })
    expect((await runIn(directory, ['keys', 'rotate'])).code).toBe(2)
    expect(await text(directory, 'key.pem')).toBe(pems.p384)
  })
})

describe('token', () => {
  it('is one that the embedded default takes, with its roles and grants', async () => {
    const directory = await folder()
    const grants = ['--grant', 'files=tool:read_file', '--grant', 'files=tool:a=b:c', '--grant', 'weather=prompt:brief']
    const { code, out } = await runIn(directory, ['token', '--sub', 'carol', '--role', 'r1', '--role', 'r2', ...grants])
    expect(code).toBe(0)
    expect(out).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    expect(decodeJwt(out.trim())).toMatchObject({
      sub: 'carol',
      realm_access: { roles: ['r1', 'r2'] },
      resource_access: { files: { roles: ['tool:read_file', 'tool:a=b:c'] }, weather: { roles: ['prompt:brief'] } },
    })
    await writeFile(join(directory, 'carol.jwt'), out)
    const capabilities = await runIn(directory, ['capabilities', '--token-file', 'carol.jwt', '--json'])
    expect(JSON.parse(capabilities.out)).toMatchObject({
      tools: { files: ['read_file'] },
      prompts: { weather: ['brief'] },
    })
    const forecast = ['--method', 'tools/call', '--params', '{"name":"files_delete_file"}', '--json']
    expect((await runIn(directory, ['check', '--token', out.trim(), ...forecast])).code).toBe(1)
  })

  it.each(['tool:x', '=tool:x', 'files=', 'files=tool:', 'files=tool', 'files=task:x', 'files=Tool:x', ''])(
    'is exit 2 for the grant %j',
    async (grant) => {
      const { code, out, err } = await runIn(await folder(), ['token', '--sub', 'carol', '--grant', grant])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain('expected SERVER=TYPE:NAME')
    },
  )

  it('takes an awkward server for a server', async () => {
    const { out } = await runIn(await folder(), ['token', '--sub', 'carol', '--grant', '__proto__=tool:x'])
    expect(Object.keys(decodeJwt(out.trim())['resource_access'] as object)).toEqual(['__proto__'])
  })
})
