import { describe, expect, it } from 'vitest'
import { validatorOf } from '../../src/config/schema.ts'
import { buildInput, type Question } from '../../src/policy/input.ts'
import { nobody } from './questions.ts'

const everything: Question['subject'] = {
  id: 'alice',
  grants: { s: ['tool:a'] },
  roles: ['r'],
  capabilities: { tools: { s: ['a'] } },
  groups: ['g'],
  scopes: ['mcp:tools'],
  email: 'alice@example.com',
  withdrawnRoles: ['x'],
  limits: { virtualServers: ['v'], capabilities: { '*': ['tool:*'] } },
}

function inputOf(subject: Question['subject']) {
  return buildInput({ ...nobody, subject, action: 'tools/list', target: { type: 'server' } })
}

describe('the input', () => {
  it('has everything of the subject, in the words of its schema', () => {
    const input = inputOf(everything)
    expect(input.subject).toEqual({
      id: 'alice',
      grants: { s: ['tool:a'] },
      roles: ['r'],
      capabilities: { tools: { s: ['a'] } },
      groups: ['g'],
      scopes: ['mcp:tools'],
      email: 'alice@example.com',
      withdrawn_roles: ['x'],
      limits: { virtual_servers: ['v'], capabilities: { '*': ['tool:*'] } },
    })
    expect(validatorOf('input')(input)).toBe(true)
  })

  it('leaves out what is absent, and keeps what is empty', () => {
    const bare = { id: 'alice', grants: {}, roles: [] }
    expect(Object.keys(inputOf(bare).subject)).toEqual(['id', 'grants', 'roles'])
    expect(inputOf({ ...bare, limits: {} }).subject).toEqual({ ...bare, limits: {} })
    const empty = { ...bare, groups: [], scopes: [], limits: { virtualServers: [], capabilities: {} } }
    expect(inputOf(empty).subject).toEqual({
      ...bare,
      groups: [],
      scopes: [],
      limits: { virtual_servers: [], capabilities: {} },
    })
  })

  it('has nothing of the credential that the policy need not know', () => {
    const more = { expiresAt: 1, apiKey: 'k', facts: { subject: 'alice', jti: 'j' }, virtualServer: 'v' }
    expect(inputOf({ ...everything, ...more }).subject).toEqual(inputOf(everything).subject)
  })
})
