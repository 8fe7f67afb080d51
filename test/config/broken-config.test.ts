// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { denials, keyFiles, meaning, trusted } from './broken-meanings.ts'
import { files, shape, sso } from './broken-shapes.ts'
import { errorOf, jwks, makeDirectory, onlyProblem, pems } from './workspace.ts'

describe('a broken configuration', () => {
  it.each([...shape, ...meaning, ...keyFiles, ...trusted, ...denials])(
    'is refused with file, line, key and mend: %s',
    async (_, text, line) => {
      const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text })
      const file = join(directory, 'mcp-authz.yaml')
      const error = await errorOf(() => loadConfig(file, { env: { SET: '7' } }))
      expect(error.message).toBe(`${file}:${line.replace('DIRECTORY', directory)}`)
      const { path, ...problem } = onlyProblem(error)
      expect(problem.file).toBe(file)
      expect(line).toMatch(new RegExp(`^${problem.line}:${problem.column}: `))
      expect(line.slice(`${problem.line}:${problem.column}: `.length).startsWith(path)).toBe(true)
    },
  )

  it('is named where it is missing', async () => {
    const error = await errorOf(() => loadConfig('/nowhere/mcp-authz.yaml', { env: {} }))
    expect(error.message).toBe('/nowhere/mcp-authz.yaml: no such file; mend: create it, or name another file')
    expect(error.code).toBe('config')
  })
})

describe('an error', () => {
  it('tells everything at once, in the order of the file', async () => {
    const text = [
      'lisen: {}',
      'bundle: {file: absent.gz}',
      'issuers:',
      '  - issuer: https://a',
      '    audience: [b]',
      '    algorithms: [HS256]',
      '  - issuer: https://a',
      '    audiences: [b]',
      '    jwks: {file: absent.json}',
      '    maxLifetimeSeconds: ${NOPE}',
      'capabilities: {enforce: false, key: {file: rsa.pem}, maxBytes: 0}',
      'mcp: {denial: hidden}',
      'insecure: {anyAudiences: true}',
    ]
    const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text.join('\n') })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }))
    expect(error.problems.map((problem) => `${problem.line} ${problem.path}`)).toEqual([
      '1 lisen',
      '2 bundle.file',
      '5 issuers[0].audience',
      '6 issuers[0].algorithms[0]',
      '7 issuers[1].issuer',
      '9 issuers[1].jwks.file',
      '10 issuers[1].maxLifetimeSeconds',
      '11 capabilities.enforce',
      '11 capabilities.key.file',
      '11 capabilities.maxBytes',
      '12 mcp.denial',
      '13 insecure.anyAudiences',
    ])
    expect(error.message.split('\n')).toHaveLength(12)
  })
})

describe('an error text', () => {
  it('does not show keys, secrets and the values of variables', async () => {
    const secret = 'c3VwZXItc2VjcmV0LXZhbHVl'
    const text = [
      'listen: {grpc: "${SECRET}"}',
      'issuers:',
      '  - {issuer: "${SECRET}", jwks: {file: private.json}, audiences: [b], claims: {preset: "${SECRET}", grants: "${SECRET}"}}',
      '  - {issuer: "${SECRET}", jwks: {url: "${SECRET}"}, audiences: [b]}',
      '  - {issuer: "${SECRET}", audiences: [b], algorithms: ["${SECRET}"]}',
      'capabilities: {key: {file: cut.pem}, trusted: {file: key.pem}}',
    ]
    const directory = await makeDirectory({ ...files, 'mcp-authz.yaml': text.join('\n') })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: { SECRET: secret } }))
    const shown = JSON.stringify([error.message, error.problems])
    expect(shown).not.toContain(secret)
    for (const key of JSON.parse(jwks.private).keys) expect(shown).not.toContain(key.d ?? 'absent')
    for (const line of pems.pkcs8.split('\n').filter((each) => each !== '')) expect(shown).not.toContain(line)
  })

  it('shows what the user wrote on one line', async () => {
    const directory = await makeDirectory({ 'mcp-authz.yaml': `${sso}"a\\nb\\u2028c\\e[31m": 1\n` })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }))
    expect(error.message).toMatch(/^[\x20-\x7e]+$/)
    expect(error.message).toContain('unknown key `a\\u000ab\\u2028c\\u001b[31m`')
  })

  it('says of very many problems how many more there are', async () => {
    const keysOfMany = Array.from({ length: 150 }, (_, index) => `zebra${index}: 1\n`)
    const directory = await makeDirectory({ 'mcp-authz.yaml': sso + keysOfMany.join('') })
    const error = await errorOf(() => loadConfig(join(directory, 'mcp-authz.yaml'), { env: {} }))
    expect(error.problems).toHaveLength(150)
    expect(error.message.split('\n').at(-1)).toBe('and 50 more')
  })
})
