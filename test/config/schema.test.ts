import { describe, expect, it } from 'vitest'
import { validatorOf } from '../../src/config/schema.ts'
import type { Capabilities } from '../../src/policy/decision.gen.ts'

describe('the validators', () => {
  it.each(['config', 'data', 'input', 'decision', 'capability_claim'] as const)(
    'exist for %s, compiled once',
    (name) => {
      expect(validatorOf(name)([])).toBe(false)
      expect(validatorOf(name)).toBe(validatorOf(name))
    },
  )

  it('exist for a definition of a schema', () => {
    const isCapabilities = validatorOf<Capabilities>('decision', 'capabilities')
    expect(isCapabilities({ tools: { a: ['x'] }, prompts: {}, resources: {}, templates: {} })).toBe(true)
    expect(isCapabilities({ tools: { a: [] }, prompts: {}, resources: {} })).toBe(false)
    expect(isCapabilities.errors?.map((error) => error.keyword).sort()).toEqual(['minItems', 'required'])
  })

  it('hold a verdict to reasons if and only if it denies', () => {
    const isVerdict = validatorOf('decision', 'verdict')
    const resource = { type: 'server' }
    expect(isVerdict({ allow: true, reasons: [], resource })).toBe(true)
    expect(isVerdict({ allow: false, reasons: [{ code: 'role_missing' }], resource })).toBe(true)
    expect(isVerdict({ allow: true, reasons: [{ code: 'role_missing' }], resource })).toBe(false)
    expect(isVerdict({ allow: false, reasons: [], resource })).toBe(false)
  })

  it('do not take inherited members for own ones', () => {
    expect(validatorOf('config')(Object.create({ issuers: [{ issuer: 'a' }] }))).toBe(false)
  })

  it('are refused for a definition that there is none of', () => {
    expect(() => validatorOf('data', 'absent')).toThrow(TypeError)
  })
})
