import { describe, expect, it } from 'vitest'
import { mirroredParamOf, ruleOf } from '../../src/mcp/methods.ts'

describe('ruleOf', () => {
  it.each(['initialize', 'ping', 'server/discover', 'tools/list', 'prompts/list', 'resources/list'])(
    'takes %s for a method on the server as a whole',
    (method) => {
      expect(ruleOf(method)).toEqual({ kind: 'server' })
    },
  )

  it.each([
    'resources/templates/list',
    'resources/unsubscribe',
    'logging/setLevel',
    'notifications/initialized',
    'notifications/x',
    'notifications/\n',
  ])('takes %j for a method on the server as a whole', (method) => {
    expect(ruleOf(method)).toEqual({ kind: 'server' })
  })

  it.each([
    'notifications/',
    'notifications',
    'Notifications/initialized',
    'tasks/get',
    'tasks/list',
    'tools/Call',
    'tools/call ',
    'tools//call',
    '',
    '__proto__',
    'constructor',
    'toString',
    'GET',
    'response',
    'sampling/createMessage',
    'skills/get',
  ])('does not know %j', (method) => {
    expect(ruleOf(method)).toBeUndefined()
  })
})

describe('mirroredParamOf', () => {
  it.each([
    ['tools/call', 'name'],
    ['prompts/get', 'name'],
    ['resources/read', 'uri'],
    ['resources/subscribe', 'uri'],
    ['resources/unsubscribe', 'uri'],
    ['tasks/get', 'taskId'],
    ['tasks/anything', 'taskId'],
    ['tools/list', undefined],
    ['completion/complete', undefined],
    ['__proto__', undefined],
  ])('for %s is %s', (method, param) => {
    expect(mirroredParamOf(method)).toBe(param)
  })
})
