import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { project, runIn } from './terminal.ts'

const create = (...args: string[]) => ['api-keys', 'create', '--sub', 'alice', ...args]

interface Listed {
  readonly id: string
  readonly state: string
}

async function listed(directory: string): Promise<Listed[]> {
  return JSON.parse((await runIn(directory, ['api-keys', 'list', '--json'])).out) as Listed[]
}

/** The id that the words beside a new key name. */
function idIn(words: string): string {
  return /\bak_[a-z2-7]{12}\b/.exec(words)?.[0] ?? ''
}

describe('api-keys create', () => {
  it('prints the key alone on standard output, and its id beside it', async () => {
    const { code, out, err } = await runIn(await project(), create())
    expect(code).toBe(0)
    expect(out).toMatch(/^mcpak_[\w-]{43}\n$/)
    expect(err).toMatch(/^ak_[a-z2-7]{12}: the key is shown this once, and kept nowhere\n$/)
  })

  it('keeps everything it was told, and the key nowhere', async () => {
    const directory = await project({ 'scope.yaml': 'virtualServers: [desk]\nusage: {perHour: 5}\n' })
    const { out } = await runIn(directory, [
      ...create('--role', 'forecaster', '--role', 'reader', '--grant', 'weather=tool:alerts', '--group', 'staff'),
      ...['--scope', 'scope.yaml', '--expires', '2999-12-31', '--permission', 'authzen:claims', '--name', 'nightly'],
      '--json',
    ])
    const { id, key, ...told } = JSON.parse(out) as Record<string, unknown>
    const expiresAt = Date.parse('2999-12-31') / 1000
    expect(told).toEqual({ subject: 'alice', expiresAt })
    expect(await listed(directory)).toEqual([
      {
        id,
        name: 'nightly',
        subject: 'alice',
        roles: ['forecaster', 'reader'],
        grants: { weather: ['tool:alerts'] },
        groups: ['staff'],
        permissions: ['authzen:claims'],
        scope: { virtualServers: ['desk'], usage: { perHour: 5 } },
        createdAt: expect.closeTo(Date.now() / 1000, -2),
        expiresAt,
        state: 'active',
        usage: { hour: 0, day: 0, total: 0, lastUsed: undefined },
      },
    ])
    const file = join(directory, '.mcp-authz/state.db')
    expect((await stat(file)).mode & 0o077).toBe(0)
    expect((await readFile(file)).includes(String(key).slice(6))).toBe(false)
  })
})

describe('the end of a key', () => {
  it.each([
    ['90m', 90 * 60],
    ['12h', 12 * 3600],
    ['90d', 90 * 86_400],
    ['2w', 14 * 86_400],
  ])('may be told as a duration: %s', async (text, seconds) => {
    const { out } = await runIn(await project(), create('--expires', text, '--json'))
    expect((JSON.parse(out) as { expiresAt: number }).expiresAt).toBeCloseTo(Date.now() / 1000 + seconds, -2)
  })
})

describe('an order of a key', () => {
  it.each<[string, string, string[]]>([
    ['no subject', 'required option', ['api-keys', 'create']],
    ['an empty subject', '--sub: expected', ['api-keys', 'create', '--sub', '']],
    ['an empty role', '--role: expected', create('--role', '')],
    ['an empty name', '--name: expected', create('--name', '')],
    ['a name too long', '--name: expected', create('--name', 'x'.repeat(201))],
    ['a grant that is none', '--grant `weather`: expected', create('--grant', 'weather')],
    ['a permission nobody knows', 'revocations:write', create('--permission', 'everything')],
    ['an end that is none', '--expires `soon`: expected', create('--expires', 'soon')],
    ['an end without its zone', '--expires', create('--expires', '2999-12-31T10:00')],
    ['a day that no month has', '--expires', create('--expires', '2999-02-30')],
    ['an end that has passed', 'lies ahead', create('--expires', '2020-01-01')],
    ['more roles than can be kept', 'larger than', create(...Array(2000).fill(['--role', 'a-long-role']).flat())],
    ['an end at once', 'lies ahead', create('--expires', '0d')],
    ['a part nobody knows', 'unknown command', ['api-keys', 'destroy']],
  ])('is refused with %s, and makes no key', async (_, words, args) => {
    const directory = await project()
    const { code, out, err } = await runIn(directory, args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(words)
    expect(await listed(directory)).toEqual([])
  })
})

describe('a scope file', () => {
  it.each<[string, string, string]>([
    ['usage: {}', 'scope.yaml', '{"usage":{}}'],
    ['{"addresses":["192.0.2.0/24"]}', 'scope.json', '{"addresses":["192.0.2.0/24"]}'],
    ['times: [{zone: Asia/Kathmandu, days: [mon], from: 09:30, to: 09:30}]', 's', ''],
  ])('may be YAML or JSON: %s', async (text, file, kept) => {
    const directory = await project({ [file]: text })
    expect(await runIn(directory, create('--scope', file))).toMatchObject({ code: 0 })
    expect(JSON.stringify(await listed(directory))).toContain(kept)
  })
})

const unusable: [what: string, text: string, words: string][] = [
  ['nothing', '', '1:1: expected at least one limit; mend: name one, or leave --scope out for no limit'],
  ['an empty object', '{}', '1:1: expected at least one limit'],
  ['null', 'null', '1:1: expected at least one limit'],
  [
    'a key nobody knows',
    'usage: {}\naddress: []',
    '2:1: address: unknown key `address`; mend: did you mean `addresses`?',
  ],
  ['virtual servers of null', 'virtualServers:', '1:1: virtualServers: null is neither no limit nor one; mend: remove'],
  ['capabilities of null', 'capabilities: null', '1:1: capabilities: null is neither'],
  ['capabilities of a server of null', 'capabilities:\n  weather: ~', '2:3: capabilities.weather: null is neither'],
  ['addresses of null', 'addresses: null', '1:1: addresses: null is neither'],
  ['times of null', 'times: null', '1:1: times: null is neither'],
  ['usage of null', 'usage: null', '1:1: usage: null is neither'],
  ['a limit of usage of null', 'usage: {perDay: }', '1:9: usage.perDay: null is neither'],
  [
    'bits too many',
    'addresses:\n  - 192.0.2.7/24',
    '2:5: addresses[0]: the address has bits beyond those of the network; mend: write 192.0.2.0/24',
  ],
  ['no address', 'addresses: [localhost]', '1:13: addresses[0]: expected an IP address or a network in CIDR notation'],
  [
    'a zone nobody knows',
    'times: [{zone: Berlin, days: [], from: 00:00, to: 00:00}]',
    '1:10: times[0].zone: expected a time zone of the IANA database; mend: write it like Europe/Berlin',
  ],
  [
    'an hour too many',
    'times: [{zone: UTC, days: [], from: 00:00, to: 24:00}]',
    'times[0].to: expected a time of day from 00:00 to 23:59; mend: write hours',
  ],
  [
    'a day in words',
    'times: [{zone: UTC, days: [monday], from: 00:00, to: 00:00}]',
    'times[0].days[0]: expected one of `mon`',
  ],
  ['half a window', 'times: [{zone: UTC}]', 'times[0].days: expected this key'],
  ['a pattern without a type', 'capabilities: {weather: [forecast]}', 'capabilities.weather[0]: expected `type:name`'],
  ['a limit below nothing', 'usage: {total: -1}', 'usage.total: expected a number from 0'],
  ['a limit in parts', 'usage: {total: 1.5}', 'usage.total: expected a whole number'],
  ['two of a key', 'usage: {}\nusage: {}', '2:1: usage: the key is there twice'],
  ['a list', '[]', 'expected an object'],
]

describe('a scope file that cannot be used', () => {
  it.each(unusable)('is refused with file, line, key and mend, and makes no key: %s', async (_, text, words) => {
    const directory = await project({ 'scope.yaml': text })
    const { code, out, err } = await runIn(directory, create('--scope', 'scope.yaml'))
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain('scope.yaml:')
    expect(err).toContain(words)
    expect(await listed(directory)).toEqual([])
  })

  it('that is not there is refused by name', async () => {
    const { code, err } = await runIn(await project(), create('--scope', 'missing.yaml'))
    expect([code, err]).toEqual([2, expect.stringContaining('missing.yaml: no such file')])
  })
})

describe('a scope', () => {
  it('may be standard input', async () => {
    const directory = await project()
    const piped = (text: string) =>
      runIn(directory, create('--scope', '-'), {}, [Buffer.from(text.slice(0, 9)), text.slice(9)])
    expect(await piped('addresses: [192.0.2.7]')).toMatchObject({ code: 0 })
    expect(await piped('addresses: [192.0.2.7/8]')).toMatchObject({
      code: 2,
      err: expect.stringContaining('standard input:1:13: addresses[0]'),
    })
    expect(await piped('')).toMatchObject({ code: 2, err: expect.stringContaining('expected at least one limit') })
    expect(await runIn(directory, create('--scope', '-'), {}, [Buffer.from([0xff])])).toMatchObject({ code: 2 })
    expect(await listed(directory)).toHaveLength(1)
  })
})

describe('api-keys list', () => {
  it('prints a line for each key, with its state, uses and limits, and neither key nor digest', async () => {
    const scope = [
      'virtualServers: [desk, "a\\nb"]',
      'capabilities: {weather: ["tool:*"], files: []}',
      'addresses: [192.0.2.0/24]',
      'times: [{zone: Europe/Berlin, days: [mon, fri], from: "09:00", to: "17:00"}]',
      'usage: {perHour: 5, total: 100}',
    ]
    const directory = await project({ 'scope.yaml': scope.join('\n') })
    const first = await runIn(directory, create('--name', 'red \u001b[31m', '--expires', '2999-12-31'))
    const second = await runIn(directory, create('--scope', 'scope.yaml'))
    await runIn(directory, ['api-keys', 'revoke', idIn(first.err)])
    const { code, out } = await runIn(directory, ['api-keys', 'list'])
    const lines = out.trimEnd().split('\n')
    expect(code).toBe(0)
    expect(lines).toHaveLength(3)
    expect(lines[0]).toMatch(/^ID +NAME +SUBJECT +CREATED +EXPIRES +STATE +USED +LIMITS$/)
    expect(lines[1]).toMatch(
      /^ak_\w+ +red \\u\{1b\}\[31m +alice +\d{4}-\S+Z +2999-12-31T00:00:00Z +revoked +0 \(0 this hour, 0 today\) +none$/,
    )
    expect(lines[2]?.replace(/ +/g, ' ')).toContain(
      'never active 0 (0 this hour, 0 today) virtual servers: desk, a\\u{a}b; weather: tool:*, files: nothing; ' +
        'from 192.0.2.0/24; at mon fri 09:00-17:00 Europe/Berlin; 5 an hour, 100 in all',
    )
    for (const { out: key } of [first, second]) expect(out).not.toContain(key.trim())
    expect(JSON.stringify(await listed(directory))).not.toContain('digest')
  })

  it('prints its head where there is no key', async () => {
    expect((await runIn(await project(), ['api-keys', 'list'])).out).toMatch(/^ID .*\n$/)
  })
})

describe('api-keys revoke', () => {
  it('ends a key, once and for all', async () => {
    const directory = await project()
    const [one, other] = [await runIn(directory, create()), await runIn(directory, create())]
    for (const reason of [[], ['--reason', 'it leaked']]) {
      const { code, out } = await runIn(directory, ['api-keys', 'revoke', idIn(one.err), ...reason])
      expect({ code, out }).toEqual({ code: 0, out: `${idIn(one.err)} is revoked\n` })
    }
    expect((await listed(directory)).map(({ id, state }) => [id, state])).toEqual([
      [idIn(one.err), 'revoked'],
      [idIn(other.err), 'active'],
    ])
  })

  it.each(['ak_aaaaaaaaaaaa', 'alice', 'a\u001bb'])('is exit 1 for a key there is not: `%s`', async (id) => {
    const { code, out, err } = await runIn(await project(), ['api-keys', 'revoke', id])
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toContain(`there is no API key \`${id.replace('\u001b', '\\u{1b}')}\``)
  })

  it('is a wrong use without an id', async () => {
    for (const id of [[], ['']]) expect((await runIn(await project(), ['api-keys', 'revoke', ...id])).code).toBe(2)
  })
})

describe('check and capabilities with a key', () => {
  it('decide as for a caller from the address that is named', async () => {
    const directory = await project({ 'scope.yaml': 'addresses: [192.0.2.7]\n' })
    const { out } = await runIn(directory, create('--role', 'forecaster', '--scope', 'scope.yaml'))
    const ask = async (command: string[], ...from: string[]) =>
      await runIn(directory, [...command, '--token', out.trim(), '--json', ...from])
    const check = ['check', '--method', 'tools/call', '--params', '{"name":"weather_forecast"}']
    expect((await ask(check, '--address', '192.0.2.7')).code).toBe(0)
    expect((await ask(['capabilities'], '--address', '192.0.2.7')).out).toContain('"weather":["alerts","forecast"]')
    for (const from of [['--address', '192.0.2.8'], []]) {
      expect(await ask(check, ...from)).toMatchObject({ code: 1, out: expect.stringContaining('address_refused') })
      expect(await ask(['capabilities'], ...from)).toMatchObject({ code: 1, out: '' })
    }
  })
})

describe('every command about API keys', () => {
  it.each([['create', '--sub', 'alice'], ['list'], ['revoke', 'ak_aaaaaaaaaaaa']])(
    'is exit 2 where the state file cannot be used: %s',
    async (...args) => {
      const directory = await project({ '.mcp-authz/state.db': 'no database'.repeat(100) })
      const { code, out, err } = await runIn(directory, ['api-keys', ...args])
      expect({ code, out }).toEqual({ code: 2, out: '' })
      expect(err).toContain('state.db')
    },
  )

  it('makes no state but with a key', async () => {
    const directory = await project()
    await runIn(directory, ['api-keys', 'list'])
    await runIn(directory, ['api-keys', 'revoke', 'ak_aaaaaaaaaaaa'])
    const file = join(directory, '.mcp-authz/state.db')
    await expect(stat(file)).rejects.toThrow('ENOENT')
    await runIn(directory, create())
    await expect(stat(file)).resolves.toBeDefined()
  })

  it('makes no key where none can be kept', async () => {
    const directory = await project({ '.mcp-authz': 'a file where the folder should be' })
    const { code, out } = await runIn(directory, create())
    expect({ code, out }).toEqual({ code: 2, out: '' })
  })
})
