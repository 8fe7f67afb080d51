import { describe, expect, it } from 'vitest'
import { config, folder, project, runIn, start } from './terminal.ts'

const commands = [
  ['serve'],
  ['check'],
  ['capabilities'],
  ['keys'],
  ['keys', 'generate'],
  ['keys', 'public'],
  ['keys', 'rotate'],
  ['api-keys'],
  ['api-keys', 'create'],
  ['api-keys', 'list'],
  ['api-keys', 'revoke'],
  ['migrate'],
  ['revoke'],
  ['revocations'],
  ['token'],
]

describe('help', () => {
  it.each([[], ...commands])('is printed on standard output for: %s %s', async (...command) => {
    const { code, out, err } = await runIn('/', [...command.filter((word) => word !== undefined), '--help'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^Usage: mcp-authz/)
  })

  it('names every command, and the exit codes', async () => {
    const { out } = await runIn('/', ['--help'])
    for (const [name = ''] of commands) expect(out).toContain(`\n  ${name} `)
    expect(out).toContain('Exit codes: 0 allowed or done, 1 denied, 2 usage or configuration, 3 internal error.')
  })

  it('names every option of the contract', async () => {
    const options = {
      serve: ['--config', '--grpc', '--http', '--workers', '--enforce-capability-filtering'],
      check: [
        '--config',
        '--token',
        '--token-file',
        '--claims',
        '--method',
        '--params',
        '--server',
        '--virtual-server',
        '--json',
      ],
      capabilities: ['--config', '--token', '--token-file', '--claims', '--virtual-server', '--json'],
      token: ['--sub', '--role', '--grant'],
    }
    for (const [command, names] of Object.entries(options)) {
      const { out } = await runIn('/', [command, '--help'])
      for (const name of names) expect(out).toContain(`${name} `)
    }
  })
})

describe('a wrong use', () => {
  it.each<readonly [string, ...string[]]>([
    ['no command'],
    ['a command nobody knows', 'destroy'],
    ['an option nobody knows', 'check', '--method', 'ping', '--wat'],
    ['an argument too many', 'capabilities', 'alice'],
    ['an option without its value', 'check', '--method'],
    ['no method', 'check', '--claims', 'alice.json'],
    ['no credential', 'check', '--method', 'ping'],
    ['two credentials', 'check', '--method', 'ping', '--claims', 'alice.json', '--token', 'x'],
    ['three credentials', 'capabilities', '--claims', 'alice.json', '--token', 'x', '--token-file', 'alice.json'],
    ['no part of keys', 'keys'],
    ['a part of keys nobody knows', 'keys', 'destroy'],
    ['no subject of a token', 'token'],
    ['an empty subject of a token', 'token', '--sub', ''],
    ['no workers', 'serve', '--workers', '0'],
    ['half a worker', 'serve', '--workers', '1.5'],
    ['too many workers', 'serve', '--workers', '65'],
    ['workers that are no number', 'serve', '--workers', 'many'],
    ['an address that is none', 'serve', '--grpc', 'nowhere'],
    ['workers on a Unix socket', 'serve', '--workers', '2', '--grpc', 'unix:x.sock'],
    ['a log level nobody knows', 'serve', '--log-level', 'loud'],
  ])('is exit 2 with a word on standard error and none on standard output: %s', async (_, ...args) => {
    const { code, out, err } = await runIn(await project(), args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).not.toBe('')
  })
})

describe('a configuration that cannot be used', () => {
  const check = (file: string) => ['check', '--config', file, '--claims', 'alice.json', '--method', 'ping', '--json']

  it('is exit 2, naming the file that is not there', async () => {
    const { code, out, err } = await runIn(await project(), check('missing.yaml'))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toMatch(/missing\.yaml: no such file/)
  })

  it('is exit 2, naming file, line, key and mend', async () => {
    const directory = await project({ 'mcp-authz.yaml': config.replace('audiences:', 'audience:') })
    for (const args of [check('mcp-authz.yaml'), ['serve'], ['keys', 'public']]) {
      const { code, out, err } = await runIn(directory, args)
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toMatch(/mcp-authz\.yaml:6:\d+: issuers\[0\]\.audience: .*; mend: .*audiences/)
    }
  })

  it('is exit 2 for data, naming the data file', async () => {
    const directory = await project({ 'catalogue.yaml': 'servers:\n  a: {tool: [x]}\n' })
    const { code, err } = await runIn(directory, check('mcp-authz.yaml'))
    expect(code).toBe(2)
    expect(err).toMatch(/catalogue\.yaml:2:\d+: servers\.a\.tool: /)
  })

  it('is exit 2 for a bundle that is none', async () => {
    const directory = await project({ 'mcp-authz.yaml': `${config}bundle: {file: alice.json}\n` })
    const { code, err } = await runIn(directory, check('mcp-authz.yaml'))
    expect(code).toBe(2)
    expect(err).toMatch(/alice\.json: bundle\.file: it is not a gzipped tar/)
  })

  it('is exit 2 for a key that is none', async () => {
    const directory = await project({ 'key.pem': 'not a key' })
    for (const args of [['serve'], ['keys', 'public'], ['keys', 'rotate']]) {
      const { code, err } = await runIn(directory, args)
      expect(code).toBe(2)
      expect(err).toContain('key.pem')
    }
  })

  it('is exit 2 for a list of retired keys that is none', async () => {
    const directory = await project({ 'key.pem.retired.json': '{}' })
    for (const args of [['serve'], ['keys', 'public'], ['keys', 'rotate']]) {
      const { code, err } = await runIn(directory, args)
      expect(code).toBe(2)
      expect(err).toContain('key.pem.retired.json')
    }
  })
})

describe('the embedded default', () => {
  it('is refused in production, by every command that would use it', async () => {
    const directory = await folder({ 'alice.json': '{"sub":"alice"}' })
    for (const args of [
      ['serve'],
      ['check', '--claims', 'alice.json', '--method', 'ping'],
      ['capabilities', '--claims', 'alice.json'],
      ['keys', 'public'],
      ['token', '--sub', 'alice'],
    ]) {
      const { code, out, err } = await runIn(directory, args, { NODE_ENV: 'production' })
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toMatch(/NODE_ENV is production; mend: /)
    }
  })

  it('does not step in for a key that a configuration leaves out in production', async () => {
    const directory = await project({ 'mcp-authz.yaml': config.replace(/^capabilities.*$/m, '') })
    const { code, err } = await runIn(directory, ['serve'], { NODE_ENV: 'production' })
    expect(code).toBe(2)
    expect(err).toMatch(/mcp-authz\.yaml: capabilities\.key\.file: .*; mend: make one with `mcp-authz keys generate/)
  })
})

it('ends in peace where nobody reads what it prints', async () => {
  const { child, err, ended } = start(await folder(), ['--help'])
  child.stdout?.destroy()
  expect([await ended(), err()]).toEqual([0, ''])
})
