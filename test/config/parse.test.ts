// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import { describe, expect, it } from 'vitest'
import { parseConfig } from '../../src/config/load.ts'
import { errorOf, jwks, makeDirectory, onlyProblem } from './workspace.ts'

describe('a configuration given as a value', () => {
  it('is checked and filled in like a file', async () => {
    const directory = await makeDirectory({ 'jwks.json': jwks.public })
    const config = await parseConfig(
      { issuers: [{ issuer: 'a', audiences: ['b'], jwks: { file: 'jwks.json' } }], bundle: undefined },
      directory,
    )
    expect(config).toMatchObject({ file: undefined, directory, mcp: { profile: 'strict' } })
    expect(config.issuers[0]?.keys).toEqual({ kind: 'jwks', jwks: JSON.parse(jwks.public) })
  })

  it('is not expanded', async () => {
    const config = await parseConfig({ issuers: [{ issuer: 'https://a/${HOME}', audiences: ['${HOME}'] }] }, '/')
    expect(config.issuers[0]).toMatchObject({ issuer: 'https://a/${HOME}', audiences: ['${HOME}'] })
  })

  it('is refused with the key and the mend, there being no file and line', async () => {
    const error = await errorOf(() => parseConfig({ issuers: [{ issuer: 'https://a', audience: ['b'] }] }, '/'))
    expect(onlyProblem(error)).toMatchObject({ file: undefined, line: undefined, column: undefined })
    expect(error.message).toBe(
      'configuration: issuers[0].audience: unknown key `audience`; mend: did you mean `audiences`?',
    )
  })

  it.each([undefined, null, 7, 'text', [], () => 1])('is refused when it is no object: %s', async (value) => {
    const error = await errorOf(() => parseConfig(value, '/'))
    expect(error.code).toBe('config')
  })

  it('is refused when it holds itself', async () => {
    const value: Record<string, unknown> = { issuers: [{ issuer: 'https://a', audiences: ['b'] }] }
    value['mcp'] = value
    expect((await errorOf(() => parseConfig(value, '/'))).problems[0]?.path).toBe('mcp.issuers')
  })
})
