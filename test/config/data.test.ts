import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadData, parseData } from '../../src/config/data.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import { errorOf, makeDirectory } from './workspace.ts'

function data(...texts: readonly string[]): Data {
  return parseData(texts.map((text, index) => ({ file: `${'abc'[index]}.yaml`, text })))
}

const example = `
servers:
  weather:
    prefix: weather_
    state: Enabled
    tools: [forecast, {name: alerts, tags: [x], annotations: {any: {thing: [1, null]}}, sha256: ${'0a'.repeat(32)}}, {name: both, sha256: [${'0a'.repeat(32)}, ${'0b'.repeat(32)}]}]
    prompts: [brief]
    resources: ["weather://stations"]
    templates: ["weather://stations/{id}", {name: "weather://{+path}{?a,b}"}]
  team/other: {prefix: "", state: Disabled}
  none: {}
virtual_servers:
  team-a/desk: {tools: [weather_forecast], prompts: [], resources: [], templates: []}
roles:
  forecaster: {weather: ["tool:*", "prompt:brief", "resource:weather://stations"], ghost: ["tool:a*b"]}
  admin: {"*": ["tool:*", "prompt:*", "resource:*", "template:*", "template:weather://{", "template:weather://{*"]}
groups: {weather team: [forecaster, nobody defined this], empty: []}
scopes:
  mcp:admin: {"*": ["tool:*"], weather: []}
  https://example.com/auth/weather.read: {weather: ["resource:weather://stations", "template:weather://{+path}{?a,b}"]}
settings: {catalogue: closed, unprefixed_roles: false}
`.replace(', "template:weather://{"', '')

describe('data', () => {
  it('is what the file says', () => {
    const value = data(example)
    expect(value.servers?.['weather']?.tools).toEqual([
      'forecast',
      { name: 'alerts', tags: ['x'], annotations: { any: { thing: [1, null] } }, sha256: '0a'.repeat(32) },
      { name: 'both', sha256: ['0a'.repeat(32), '0b'.repeat(32)] },
    ])
    expect(value.roles?.['admin']).toEqual({
      '*': ['tool:*', 'prompt:*', 'resource:*', 'template:*', 'template:weather://{*'],
    })
    expect(value.groups).toEqual({ 'weather team': ['forecaster', 'nobody defined this'], empty: [] })
    expect(value.scopes?.['mcp:admin']).toEqual({ '*': ['tool:*'], weather: [] })
    expect(value.settings).toEqual({ catalogue: 'closed', unprefixed_roles: false })
  })

  it.each([[[]], [['']], [['{}']], [['# nothing\n', '']], [['servers: {}', '']]])('may be empty: %j', (texts) => {
    const { servers = {}, ...rest } = data(...texts)
    expect([servers, rest]).toEqual([{}, {}])
  })

  it('is frozen to its depth', () => {
    const { servers } = data(example)
    expect(Object.isFrozen(servers?.['weather']?.tools)).toBe(true)
    expect(Object.isFrozen(servers)).toBe(true)
  })

  it('takes names that every object has as names like any other', () => {
    const value = data(
      'servers: {__proto__: {tools: [a]}, constructor: {tools: [b]}, toString: {prefix: x}}\nroles: {__proto__: {__proto__: ["tool:*"]}}',
      'servers: {__proto__: {prompts: [c]}}\nvirtual_servers: {__proto__: {tools: [d]}}\ngroups: {__proto__: [__proto__]}\nscopes: {__proto__: {__proto__: ["tool:*"]}}',
    )
    expect(Object.keys(value.servers ?? {})).toEqual(['__proto__', 'constructor', 'toString'])
    const proto = Object.getOwnPropertyDescriptor(value.servers, '__proto__')?.value
    expect(proto).toEqual({ tools: ['a'], prompts: ['c'] })
    expect(JSON.stringify(value.roles)).toBe('{"__proto__":{"__proto__":["tool:*"]}}')
    expect(JSON.stringify(value.virtual_servers)).toBe('{"__proto__":{"tools":["d"]}}')
    expect(JSON.stringify(value.groups)).toBe('{"__proto__":["__proto__"]}')
    expect(JSON.stringify(value.scopes)).toBe('{"__proto__":{"__proto__":["tool:*"]}}')
    expect(Object.getPrototypeOf(value.servers)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['tools']).toBeUndefined()
  })
})

describe('several files', () => {
  it('merge key by key at every depth', () => {
    const value = data(
      'servers: {a: {prefix: a_, tools: [x]}, b: {tools: [{name: y, annotations: {p: {q: 1}}}]}}\nsettings: {catalogue: open}',
      'servers: {a: {prompts: [z]}, c: {}}\nroles: {r: {a: ["tool:*"]}}',
      'roles: {r: {b: ["tool:y"]}, s: {}}\nsettings: {unprefixed_roles: true}\ngroups: {g: [r]}\nscopes: {x: {a: ["tool:*"]}}',
      'groups: {h: [s]}\nscopes: {x: {b: []}}',
    )
    expect(value).toEqual({
      servers: {
        a: { prefix: 'a_', tools: ['x'], prompts: ['z'] },
        b: { tools: [{ name: 'y', annotations: { p: { q: 1 } } }] },
        c: {},
      },
      settings: { catalogue: 'open', unprefixed_roles: true },
      roles: { r: { a: ['tool:*'], b: ['tool:y'] }, s: {} },
      groups: { g: ['r'], h: ['s'] },
      scopes: { x: { a: ['tool:*'], b: [] } },
    })
  })

  it('let the later one replace lists and values', () => {
    const value = data(
      'servers: {a: {prefix: a_, tools: [{name: x, tags: [t]}, y], state: Enabled}}',
      'servers: {a: {prefix: b_, tools: [{name: x}], state: Disabled}}',
    )
    expect(value.servers).toEqual({ a: { prefix: 'b_', tools: [{ name: 'x' }], state: 'Disabled' } })
  })

  it('may mend each other', () => {
    expect(data('servers: {a: {prefix: x}, b: {prefix: x}}', 'servers: {b: {prefix: y}}').servers).toEqual({
      a: { prefix: 'x' },
      b: { prefix: 'y' },
    })
  })

  it('are read from disk, YAML and JSON', async () => {
    const directory = await makeDirectory({
      'a.yaml': 'servers: {a: {tools: [x]}}',
      'b.json': '{\n\t"servers": {"a": {"tools": ["y"]}}\n}',
    })
    expect(await loadData([join(directory, 'a.yaml'), join(directory, 'b.json')])).toEqual({
      servers: { a: { tools: ['y'] } },
    })
    expect(await loadData([])).toEqual({})
  })

  it('are all named where they are missing', async () => {
    const directory = await makeDirectory({ 'a.yaml': '' })
    const error = await errorOf(() => loadData(['x.yaml', 'a.yaml', 'y.yaml'].map((name) => join(directory, name))))
    expect(error.message.split('\n')).toEqual([
      `${directory}/x.yaml: no such file; mend: create it, or name another file`,
      `${directory}/y.yaml: no such file; mend: create it, or name another file`,
    ])
  })
})
