import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { ConfigError } from '../src/config/problem.ts'
import { buildInput, categoryOf, loadEngine, messageOf, PolicyError, shippedBundle } from '../src/engine.ts'
import { makeDirectory } from './config/workspace.ts'

const data = {
  servers: { weather: { prefix: 'weather_', tools: ['forecast'], templates: ['weather://{id}'] } },
  roles: { forecaster: { weather: ['tool:*', 'template:*'] } },
}
const alice = {
  subject: { id: 'alice', grants: {}, roles: ['forecaster'] },
  virtualServers: [],
  profile: 'strict',
} as const

describe('the engine on its own', () => {
  it('decides, gives capabilities and filters names over the bundle that ships with the package', async () => {
    const engine = await loadEngine({ data })
    const call = { ...alice, action: 'tools/call' }
    expect(engine.decide(buildInput({ ...call, target: { type: 'tool', name: 'weather_forecast' } }))).toEqual({
      allow: true,
      reasons: [],
      resource: { type: 'tool', server: 'weather', name: 'forecast' },
    })
    expect(engine.capabilities(buildInput({ ...alice, action: 'tools/list', target: { type: 'server' } }))).toEqual({
      tools: { weather: ['forecast'] },
      prompts: {},
      resources: {},
      templates: { weather: ['weather://{id}'] },
    })
    const names = ['nothing', 'weather_forecast', 'weather_']
    expect(engine.visible(buildInput({ ...call, target: { type: 'tool', names } }))).toEqual(['weather_forecast'])
  })

  it('takes another bundle, and says what is wrong with one that is none', async () => {
    expect((await loadEngine({ bundle: shippedBundle, data: {} })).revision).toMatch(/^[0-9a-f]{12}\+[0-9a-f]{12}$/)
    const directory = await makeDirectory({ 'bundle.tar.gz': 'not a bundle' })
    await expect(loadEngine({ bundle: join(directory, 'bundle.tar.gz'), data })).rejects.toThrow(PolicyError)
  })

  it('checks its data as data files are checked', async () => {
    for (const bad of [
      { server: {} },
      { roles: { r: { s: ['toool:x'] } } },
      { servers: { s: { templates: ['{a*}'] } } },
    ]) {
      await expect(loadEngine({ data: bad as typeof data })).rejects.toThrow(ConfigError)
    }
  })
})

describe('the reasons', () => {
  it('have a category and a fixed text', () => {
    expect([categoryOf('role_missing'), categoryOf('not_ready')]).toEqual(['policy', 'service'])
    expect(messageOf('role_missing')).toBe('no role or grant of the subject allows it')
  })
})

describe('the input', () => {
  it('holds fixed fields alone, whatever else a question carries', () => {
    const subject = { ...alice.subject, virtualServer: 'desk', expiresAt: 7, claims: { admin: true } }
    const question = { ...alice, subject, virtualServers: ['other'], action: 'tools/call', allow: true } as const
    expect(buildInput({ ...question, target: { type: 'tool', name: 'x' }, server: undefined })).toEqual({
      subject: { id: 'alice', grants: {}, roles: ['forecaster'] },
      action: { name: 'tools/call' },
      resource: { type: 'tool', name: 'x' },
      context: { profile: 'strict', virtual_servers: ['other', 'desk'] },
    })
  })

  it('names a virtual server that cannot exist as one more that binds', () => {
    const subject = { ...alice.subject, virtualServer: null }
    const { context } = buildInput({ ...alice, subject, action: 'tools/list', target: { type: 'server' } })
    expect(context.virtual_servers).toEqual([null])
  })
})
