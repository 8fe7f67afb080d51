import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { definitionDigest } from '../../src/mcp/definition.ts'
import { listen, program } from '../broker/place.ts'
import { rawServer } from '../broker/servers.ts'
import { config, project, runIn } from './terminal.ts'

const forecast = {
  name: 'forecast',
  description: 'Says the weather.',
  inputSchema: { type: 'object' },
  annotations: { readOnlyHint: true },
}
const alerts = { name: 'alerts', inputSchema: { type: 'object' } }
const stations = { uri: 'weather://stations', name: 'stations' }
const digestOf = (tool: typeof forecast | typeof alerts) => definitionDigest('tool', tool, tool.name)

async function weather(tools: readonly object[] = [forecast, alerts]): Promise<string> {
  const results: Readonly<Record<string, object>> = {
    'tools/list': { tools },
    'resources/list': { resources: [stations] },
    'resources/templates/list': { resourceTemplates: [] },
  }
  const { url } = await listen(
    rawServer(({ method }) => ({ result: { ...results[method] } }), { tools: {}, resources: {} }),
  )
  return url
}

const data = (text: string) => `servers:\n  weather: {prefix: weather_, ${text}}\n`

describe('catalogue', () => {
  it('prints data that approve what servers offer, and keeps what the catalogue says beside it', async () => {
    const listed = 'tools: [{name: forecast, tags: [sky], annotations: {readOnlyHint: false}}, gone]'
    const directory = await project({ 'catalogue.yaml': data(listed) })
    const { code, out } = await runIn(directory, ['catalogue', `weather=${await weather()}`])
    expect(code).toBe(0)
    expect(parse(out)).toEqual({
      servers: {
        weather: {
          tools: [
            { name: 'forecast', tags: ['sky'], annotations: { readOnlyHint: false }, sha256: digestOf(forecast) },
            { name: 'alerts', sha256: digestOf(alerts) },
          ],
          resources: [{ name: stations.uri, sha256: definitionDigest('resource', stations, stations.uri) }],
        },
      },
    })
    await writeFile(join(directory, 'approved.yaml'), out)
    await writeFile(
      join(directory, 'mcp-authz.yaml'),
      config.replace('[catalogue.yaml]', '[catalogue.yaml, approved.yaml]'),
    )
    const claims = ['--claims', 'alice.json', '--method', 'tools/call', '--params', '{"name":"weather_forecast"}']
    await writeFile(
      join(directory, 'alice.json'),
      JSON.stringify({ sub: 'alice', resource_access: { weather: { roles: ['tool:forecast'] } } }),
    )
    expect(await runIn(directory, ['check', ...claims])).toMatchObject({ code: 0 })
    expect(await runIn(directory, ['catalogue', '--check', `weather=${await weather()}`])).toMatchObject({
      code: 0,
      out: '',
    })
  })

  it('says what an unknown server offers, with the annotations that it gives itself', async () => {
    const { out } = await runIn(await project(), ['catalogue', '--json', `new=${await weather([forecast])}`])
    expect(JSON.parse(out)).toMatchObject({
      servers: { new: { tools: [{ name: 'forecast', annotations: { readOnlyHint: true } }] } },
    })
  })

  it('asks the servers of the configuration where none is named', async () => {
    const server = program([join(import.meta.dirname, '../broker/stdio-server.ts'), 'v1'])
    const { command, args } = server
    const more = `broker: {upstreams: {local: ${JSON.stringify({ command, args })}}}\n`
    const directory = await project({ 'mcp-authz.yaml': config + more })
    const { code, out } = await runIn(directory, ['catalogue'])
    expect(code).toBe(0)
    const { servers } = parse(out) as { servers: { local: { tools: { name: string }[] } } }
    expect(servers.local.tools.map(({ name }) => name)).toEqual(['count', 'pid', 'variable', 'exit'])
  })
})

describe('catalogue --check', () => {
  it('tells what is changed, missing, unlisted and unpinned, and fails for the first two', async () => {
    const sha256 = digestOf(forecast)
    const pinned = `tools: [{name: forecast, sha256: ${sha256}}, gone], resources: ["weather://stations"]`
    const directory = await project({ 'catalogue.yaml': data(pinned) })
    const changed = { ...forecast, description: 'Says the weather, and more.' }
    const ran = await runIn(directory, ['catalogue', '--check', `weather=${await weather([changed, alerts])}`])
    const resource = definitionDigest('resource', stations, stations.uri)
    expect(ran).toEqual({
      code: 1,
      out: [
        `changed tool:forecast on weather sha256 ${digestOf(changed)}`,
        'missing tool:gone on weather',
        `unlisted tool:alerts on weather sha256 ${digestOf(alerts)}`,
        `unpinned resource:weather://stations on weather sha256 ${resource}`,
        '',
      ].join('\n'),
      err: '2 of the listed items changed or missing, 2 other differences\n',
    })
    const json = await runIn(directory, ['catalogue', '--check', '--json', `weather=${await weather([forecast])}`])
    expect(json.code).toBe(1)
    expect(JSON.parse(json.out)).toMatchObject({
      differences: [{ kind: 'missing', name: 'gone' }, { kind: 'unpinned' }],
    })
  })
})

describe('catalogue refuses', () => {
  it.each([
    ['what is no ID=URL', ['weather'], '`weather`: expected ID=URL'],
    ['an address that may not be asked', ['weather=http://weather.example/mcp'], 'insecure.httpUpstreams'],
    ['to ask nobody', [], 'there is nobody to ask'],
    ['a server that is not there', ['weather=http://127.0.0.1:9/mcp'], '`weather` could not be asked'],
  ])('%s', async (_, servers, error) => {
    const ran = await runIn(await project(), ['catalogue', ...servers])
    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(error)
  })
})
