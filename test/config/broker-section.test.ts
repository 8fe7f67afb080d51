// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { BrokerConfig, Config } from '../../src/config/config.ts'
import { loadConfig } from '../../src/config/load.ts'
import { errorOf, makeDirectory } from './workspace.ts'

const sso = 'issuers:\n  - issuer: https://sso.example.com\n    audiences: [gateway]\n'
const secret = 'sEcReT-token'

async function load(text: string, env = {}): Promise<Config> {
  const directory = await makeDirectory({ 'mcp-authz.yaml': sso + text, 'servers/files/package.json': '{}' })
  return await loadConfig(join(directory, 'mcp-authz.yaml'), { env })
}

async function brokerOf(text: string): Promise<BrokerConfig> {
  const { broker } = await load(text)
  if (broker === undefined) throw new Error('expected a broker')
  return broker
}

/** All of the error, each line after the file's name. */
async function refusal(text: string, env = {}): Promise<string> {
  const { message } = await errorOf(() => load(text, env))
  return message.replaceAll(/^.*?mcp-authz\.yaml:/gm, '')
}

/** The error of one upstream, written as the value of its key. */
async function upstreamRefusal(value: string, rest = ''): Promise<string> {
  return await refusal(`${rest}broker:\n  upstreams:\n    weather: ${value}\n`)
}

const http = 'broker: {upstreams: {weather: {url: "https://weather.internal/mcp"}}}\n'

describe('a broker', () => {
  it('is not there where nothing is said of it', async () => {
    expect((await load('')).broker).toBeUndefined()
  })

  it('has defaults for all but its upstreams', async () => {
    const { broker, warnings } = await load(http)
    expect(warnings).toEqual([])
    expect(broker).toEqual({
      listen: '127.0.0.1:8080',
      path: '/mcp',
      discovery: false,
      allowedHosts: [],
      upstreams: {
        weather: {
          kind: 'http',
          url: 'https://weather.internal/mcp',
          headers: {},
          timeoutSeconds: 60,
          sessions: 'caller',
        },
      },
      health: { everySeconds: 30, timeoutSeconds: 5, maxBackoffSeconds: 60 },
    })
  })

  it('is what is said of it', async () => {
    const text = `
broker:
  listen: "[::1]:0"
  path: /tools/mcp
  discovery: true
  sessions: shared
  allowedHosts: [MCP.example.com, "[2001:DB8::1]"]
  upstreams:
    weather: {url: "https://weather.internal/mcp?v=2", headers: {Authorization: "Bearer \${TOKEN}"}, timeoutSeconds: 5}
    files: {command: ./server, args: [-y, ""], env: {KEY: "\${TOKEN}"}, cwd: servers/files, sessions: caller}
    __proto__: {command: node}
  health: {everySeconds: 0.1, timeoutSeconds: 1, maxBackoffSeconds: 2}
`
    const { broker, directory } = await load(text, { TOKEN: secret })
    expect(broker).toMatchObject({
      listen: '[::1]:0',
      path: '/tools/mcp',
      discovery: true,
      allowedHosts: ['mcp.example.com', '[2001:db8::1]'],
      health: { everySeconds: 0.1, timeoutSeconds: 1, maxBackoffSeconds: 2 },
    })
    const [weather, files, proto] = Object.entries(broker?.upstreams ?? {})
    const headers = { Authorization: `Bearer ${secret}` }
    const url = 'https://weather.internal/mcp?v=2'
    expect(weather).toEqual(['weather', { kind: 'http', url, headers, timeoutSeconds: 5, sessions: 'shared' }])
    expect(files).toEqual([
      'files',
      {
        kind: 'stdio',
        command: './server',
        args: ['-y', ''],
        env: { KEY: secret },
        cwd: join(directory, 'servers/files'),
        timeoutSeconds: 60,
        sessions: 'caller',
      },
    ])
    expect(proto).toEqual(['__proto__', expect.objectContaining({ command: 'node', cwd: directory })])
  })
})

describe('what a broker is for', () => {
  it('may have no upstream yet', async () => {
    expect((await brokerOf('broker: {upstreams: {}}\n')).upstreams).toEqual({})
  })

  it.each([
    ['127.0.0.1:8080', []],
    ['localhost:8080', []],
    ['MCP.example.com:8080', ['mcp.example.com']],
    ['10.0.0.7:8080', ['10.0.0.7']],
    ['[2001:db8::7]:8080', ['[2001:db8::7]']],
  ])('believes the host that it listens on: %s', async (listen, hosts) => {
    expect((await brokerOf(`broker: {listen: "${listen}", upstreams: {}}\n`)).allowedHosts).toEqual(hosts)
  })

  it.each(['0.0.0.0:8080', '[::]:8080'])('warns where that is no host: %s', async (listen) => {
    const { broker, warnings } = await load(`broker: {listen: "${listen}", upstreams: {}}\n`)
    expect(broker?.allowedHosts).toEqual([])
    expect(warnings).toEqual([expect.stringMatching(/^broker\.allowedHosts is not set: /)])
    const named = await load(`broker: {listen: "${listen}", allowedHosts: [mcp.example.com], upstreams: {}}\n`)
    expect(named.warnings).toEqual([])
  })
})

describe('a broker is refused', () => {
  it.each([
    [
      'listen: unix:run/mcp.sock',
      '6:3: broker.listen: expected HOST:PORT, no unix socket; mend: write it like 127.0.0.1:8080',
    ],
    ['listen: nowhere', '6:3: broker.listen: expected HOST:PORT or [IPv6]:PORT; mend: write it like 127.0.0.1:8080'],
    [
      'listen: ":8080"',
      '6:3: broker.listen: expected a host name or an IPv4 address; mend: write it like 127.0.0.1:8080',
    ],
    ['path: mcp', '6:3: broker.path: expected a path that begins with `/`; mend: write it like /mcp'],
    ['path: /mcp?x=1', '6:3: broker.path: expected a path that begins with `/`; mend: write it like /mcp'],
    ['path: /a/../mcp', '6:3: broker.path: expected a path that begins with `/`; mend: write it like /mcp'],
    ['path: //evil/mcp', '6:3: broker.path: expected a path that begins with `/`; mend: write it like /mcp'],
    ['path: /status', '6:3: broker.path: the broker answers something else there; mend: write it like /mcp'],
    [
      'allowedHosts: [a, "b:80"]',
      '6:21: broker.allowedHosts[1]: expected a host name or address without port; mend: write it like mcp.example.com or [2001:db8::1]',
    ],
    ['sessions: each', '6:3: broker.sessions: expected one of `caller`, `shared`; mend: write one of them'],
    [
      'health: {everySeconds: 0}',
      '6:12: broker.health.everySeconds: expected a number from 0.1 to 3600; mend: change the number, or remove the key for the default',
    ],
  ])('with %s', async (line, message) => {
    expect(await refusal(`broker:\n  upstreams: {}\n  ${line}\n`)).toBe(message)
  })

  it('without upstreams', async () => {
    expect(await refusal('broker: {}\n')).toMatch(/^4:\d+: broker\.upstreams: expected this key, found nothing/)
  })

  it('beside batches', async () => {
    expect(await refusal(`mcp: {batches: true}\n${http}`)).toBe(
      '4:7: mcp.batches: expected false beside `broker`, which answers one message at a time; mend: remove it, or remove the section `broker`',
    )
  })
})

describe('an upstream', () => {
  it('is at an address or a program, not both', async () => {
    expect(await upstreamRefusal('{}')).toMatch(/^6:5: broker\.upstreams\.weather: expected one of `url`, `command`, f/)
    expect(await upstreamRefusal('{url: "https://a/mcp", command: npx}')).toMatch(
      /^6:5: broker\.upstreams\.weather: expected only one of `url`, `command`; mend: keep the one you want$/,
    )
  })

  it('is told once what is wrong, not twice, where the schema refused it', async () => {
    expect(await upstreamRefusal('{url: 7}')).toMatch(/^[^\n]*weather\.url: expected text, found a number[^\n]*$/)
    expect(await upstreamRefusal('{uri: "https://a"}')).toMatch(/^[^\n]*did you mean `url`\?$/)
  })

  it.each([
    ['{url: "https://a/mcp", cwd: .}', '6:37: broker.upstreams.weather.cwd: it goes with `command`'],
    ['{url: "https://a/mcp", args: []}', '6:37: broker.upstreams.weather.args: it goes with `command`'],
    ['{command: npx, headers: {}}', '6:29: broker.upstreams.weather.headers: it goes with `url`'],
  ])('has no keys of the other kind: %s', async (value, message) => {
    expect(await upstreamRefusal(value)).toContain(message)
  })
})

describe('the address of an upstream', () => {
  it('is over http on loopback alone, or under an insecure switch', async () => {
    expect(await upstreamRefusal('{url: "http://weather.internal/mcp"}')).toBe(
      '6:15: broker.upstreams.weather.url: expected https; http is for loopback, or set `insecure.httpUpstreams`; mend: write an https address; what is secret belongs in `headers`',
    )
    for (const host of ['127.0.0.1:9000', '[::1]:9000', 'localhost']) {
      const { upstreams } = await brokerOf(`broker: {upstreams: {a: {url: "http://${host}/mcp"}}}\n`)
      expect(upstreams['a']).toMatchObject({ url: `http://${host}/mcp` })
    }
    const text = http.replace('https', 'http')
    expect(await refusal(`${text}insecure: {httpIssuers: true}\n`)).toContain('insecure.httpUpstreams')
    expect(await refusal(`${text}insecure: {httpUpstream: true}\n`)).toMatch(/^[^\n]*did you mean `httpUpstreams`\?$/)
    const { warnings, broker } = await load(`${text}insecure: {httpUpstreams: true}\n`)
    expect(warnings).toEqual([expect.stringMatching(/^insecure\.httpUpstreams is on: /)])
    expect(broker?.upstreams['weather']).toMatchObject({ url: 'http://weather.internal/mcp' })
  })

  it.each([`https://user:${secret}@a/mcp`, `ftp://a/${secret}`, secret])(
    'has an address of https without user and password, which is not repeated: %s',
    async (url) => {
      const message = await upstreamRefusal(`{url: "${url}"}`)
      expect(message).toMatch(/^6:15: broker\.upstreams\.weather\.url: expected an (?:https )?address/)
      expect(message).not.toContain(secret)
    },
  )
})

describe('an upstream by address', () => {
  it.each([
    ['Host', 'a header that belongs to the connection or to MCP; mend: remove it'],
    ['transfer-encoding', 'a header that belongs to the connection or to MCP; mend: remove it'],
    ['Mcp-Session-Id', 'a header that belongs to the connection or to MCP; mend: remove it'],
    ['x-mcp-authorized', 'a header that belongs to the connection or to MCP; mend: remove it'],
    ['content-encoding', 'a header that belongs to the connection or to MCP; mend: remove it'],
    ['content-type', 'a header that belongs to the connection or to MCP; mend: remove it'],
    ['"a b"', 'expected the name of a header; mend: write it like authorization'],
    ['"a: b"', 'expected the name of a header; mend: write it like authorization'],
  ])('sends no header %s', async (name, message) => {
    const error = await upstreamRefusal(`{url: "https://a/mcp", headers: {${name}: "${secret}"}}`)
    expect(error).toMatch(/^6:47: broker\.upstreams\.weather\.headers[.[]/)
    expect(error).toContain(message)
    expect(error).not.toContain(secret)
  })

  it('sends no header twice', async () => {
    expect(await upstreamRefusal('{url: "https://a/mcp", headers: {x-key: a, X-Key: b}}')).toContain(
      'headers.X-Key: the same header twice, in another case; mend: keep one of them',
    )
  })

  it.each(['\\n', '\\0', '\\u20ac', '\\x7f'])('sends no value that a header cannot have: %s', async (letter) => {
    const error = await upstreamRefusal(`{url: "https://a/mcp", headers: {x-key: "${secret}${letter}"}}`)
    expect(error).toContain('headers.x-key: expected one line of printable letters, none beyond Latin-1')
    expect(error).not.toContain(secret)
  })
})

describe('an upstream by program', () => {
  it.each([
    [`{command: npx, env: {"A=B": ${secret}}}`, 'env["A=B"]: expected a name without `=`'],
    [`{command: npx, env: {A: "${secret}\\0"}}`, 'env.A: expected text without a zero byte'],
    ['{command: npx, args: ["a", "b\\0"]}', 'args[1]: expected text without a zero byte'],
    ['{command: "npx\\0"}', 'command: expected text without a zero byte'],
    ['{command: npx, cwd: nowhere}', 'cwd: expected a directory; mend: make it, or write another one'],
    ['{command: npx, cwd: mcp-authz.yaml}', 'cwd: expected a directory; mend: make it, or write another one'],
  ])('is no program as %s', async (value, message) => {
    const error = await upstreamRefusal(value)
    expect(error).toContain(`broker.upstreams.weather.${message}`)
    expect(error).not.toContain(secret)
  })

  it('has a time limit', async () => {
    expect(await upstreamRefusal('{command: npx, timeoutSeconds: 0}')).toContain(
      'timeoutSeconds: expected a number from 0.1 to 86400',
    )
  })
})
