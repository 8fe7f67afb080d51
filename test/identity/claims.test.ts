import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parsePath } from '../../src/identity/claim-path.ts'
import { type Claims, createClaimReader, presets } from '../../src/identity/claims.ts'
import type { ClaimPaths } from '../../src/identity/options.ts'
import type { Subject } from '../../src/identity/subject.ts'

describe('a claim path', () => {
  const good: readonly (readonly [text: string, wildcard: boolean, segments: readonly (string | null)[]])[] = [
    ['sub', false, ['sub']],
    ['realm_access.roles', false, ['realm_access', 'roles']],
    ['resource_access.*.roles', true, ['resource_access', null, 'roles']],
    ['*', true, [null]],
    ['*.roles', true, [null, 'roles']],
    ['https://example\\.com/roles', false, ['https://example.com/roles']],
    ['a\\\\.b', false, ['a\\', 'b']],
    ['a\\*.\\*', false, ['a*', '*']],
    ['a*.b', false, ['a*', 'b']],
    ['\\*.*', true, ['*', null]],
    ['__proto__.constructor', false, ['__proto__', 'constructor']],
    [' ', false, [' ']],
  ]
  test.each(good)('%j (wildcard %s) is taken apart', (text, wildcard, segments) => {
    expect(parsePath(text, { wildcard })).toEqual({ ok: true, segments })
  })

  const bad: readonly (readonly [text: string, wildcard: boolean])[] = [
    ['', false],
    ['', true],
    ['.', false],
    ['.a', false],
    ['a.', false],
    ['a..b', false],
    ['a\\', false],
    ['a\\b', false],
    ['a.*', false],
    ['*', false],
    ['a', true],
    ['a.*.*', true],
    ['*.*', true],
    ['a.\\*', true],
    ['a*', true],
  ]
  test.each(bad)('%j (wildcard %s) is refused with a reason', (text, wildcard) => {
    expect(parsePath(text, { wildcard })).toEqual({ ok: false, detail: expect.stringMatching(/^expected /) })
  })

  test('that is made of any names comes apart into them', () => {
    const names = fc.array(fc.string({ minLength: 1 }), { minLength: 1 })
    fc.assert(
      fc.property(names, (segments) => {
        const text = segments.map((name) => name.replace(/[.*\\]/g, '\\$&')).join('.')
        expect(parsePath(text, { wildcard: false })).toEqual({ ok: true, segments })
      }),
    )
  })
})

describe('a preset', () => {
  test.each(Object.keys(presets))('%s reads claims', (name) => {
    const paths: ClaimPaths = presets[name as keyof typeof presets]
    expect(createClaimReader(paths)({ sub: 'alice' })).toEqual({
      id: 'alice',
      grants: {},
      roles: [],
      groups: [],
      scopes: [],
    })
  })

  const samples: readonly (readonly [name: keyof typeof presets, claims: Claims, subject: Partial<Subject>])[] = [
    [
      'keycloak',
      { realm_access: { roles: ['r'] }, resource_access: { s: { roles: ['tool:a'] } }, groups: ['x'], roles: ['x'] },
      { roles: ['r'], grants: { s: ['tool:a'] } },
    ],
    [
      'okta',
      { groups: ['r'], roles: ['x'], mcp_grants: { s: ['tool:a'] } },
      { roles: ['r'], grants: { s: ['tool:a'] } },
    ],
    [
      'entra',
      { roles: ['r'], groups: ['g'], mcp_grants: { s: 'tool:a' } },
      { roles: ['r', 'g'], grants: { s: ['tool:a'] } },
    ],
    ['google', { groups: ['g'], mcp_grants: { s: ['tool:a'] } }, { roles: ['g'], grants: { s: ['tool:a'] } }],
    ['ibm-verify', { groups: ['g'], groupIds: ['i'] }, { roles: ['i', 'g'], grants: {} }],
    ['generic', { roles: ['r'], grants: { s: ['tool:a'] } }, { roles: ['r'], grants: { s: ['tool:a'] } }],
  ]
  test.each(samples)('%s finds what its issuer writes', (name, claims, subject) => {
    expect(createClaimReader(presets[name])({ sub: 'alice', ...claims })).toMatchObject({ id: 'alice', ...subject })
  })
})

describe('grants', () => {
  const cases: readonly (readonly [name: string, grants: string, expected: Subject['grants']])[] = [
    ['a string is an array of one', '{"s":"tool:a"}', { s: ['tool:a'] }],
    ['members that are no strings are ignored', '{"s":["tool:a",1,null,["tool:b"],{"x":1},true]}', { s: ['tool:a'] }],
    ['an object, number or null is ignored', '{"s":{"0":"tool:a"},"t":1,"u":null,"v":true}', {}],
    ['an array of servers is ignored', '[["tool:a"]]', {}],
    ['a string of servers is ignored', '"tool:a"', {}],
    ['null is ignored', 'null', {}],
    ['the empty server id is an id', '{"":["tool:a"]}', { '': ['tool:a'] }],
    ['a server without grants is left out', '{"s":[],"t":[1]}', {}],
  ]
  test.each(cases)('%s', (_, grants, expected) => {
    expect(subjectOf({ grants: JSON.parse(grants) })?.grants).toEqual(expected)
  })

  test('of servers named like members of every object are own keys', () => {
    const grants = subjectOf(JSON.parse('{"grants":{"__proto__":["tool:a"],"constructor":["tool:b"]}}'))?.grants
    expect(Object.entries(grants ?? {})).toEqual([
      ['__proto__', ['tool:a']],
      ['constructor', ['tool:b']],
    ])
    expect(Object.getPrototypeOf(grants)).toBe(Object.prototype)
  })

  test('from several paths are put together, server by server, in the order of the paths', () => {
    const read = createClaimReader({ subject: 'sub', roles: [], grants: ['b.*', 'a.*.roles'] })
    const claims = { sub: 'alice', a: { s: { roles: ['tool:1'] }, t: { roles: ['tool:2'] } }, b: { s: ['tool:3'] } }
    expect(read(claims)?.grants).toEqual({ s: ['tool:3', 'tool:1'], t: ['tool:2'] })
  })

  test('are not inherited', () => {
    const claims = Object.create({ grants: { s: ['tool:a'] } }, { sub: { value: 'alice', enumerable: true } }) as Claims
    expect(subjectOf(claims, false)?.grants).toEqual({})
  })
})

describe('roles', () => {
  const cases: readonly (readonly [name: string, roles: unknown, expected: readonly string[]])[] = [
    ['an array', ['a', 'b'], ['a', 'b']],
    ['a string', 'a b', ['a b']],
    ['an object', { a: 'a' }, []],
    ['a number', 1, []],
    ['nothing', undefined, []],
    ['an array with other members', ['a', 1, ['b'], null, ''], ['a', '']],
  ]
  test.each(cases)('from %s', (_, roles, expected) => {
    expect(subjectOf({ roles })?.roles).toEqual(expected)
  })

  test('from a claim whose name holds dots', () => {
    const read = createClaimReader({ subject: 'sub', grants: [], roles: ['https://example\\.com/roles'] })
    expect(read({ sub: 'alice', 'https://example.com/roles': ['a'] })?.roles).toEqual(['a'])
  })

  test('are not found through an array or a string', () => {
    const read = createClaimReader({ subject: 'sub', grants: [], roles: ['a.0', 'b.0', 'b.length'] })
    expect(read({ sub: 'alice', a: ['x'], b: 'x' })?.roles).toEqual([])
  })
})

describe('groups', () => {
  test('are read like roles, from each path in turn', () => {
    const read = createClaimReader({ ...presets.generic, groups: ['groupIds', 'org.groups'] })
    const claims = { sub: 'alice', groupIds: ['a b', 7, 'c'], org: { groups: 'a b' }, groups: ['x'] }
    expect(read(claims)?.groups).toEqual(['a b', 'c', 'a b'])
  })

  test.each([undefined, null, 7, true, { 0: 'a' }, [['a']]])('are none in %j', (groups) => {
    expect(subjectOf({ groups })?.groups).toEqual([])
  })
})

describe('scopes', () => {
  const cases: readonly (readonly [name: string, scope: unknown, expected: readonly string[]])[] = [
    ['a string of one', 'read', ['read']],
    ['a string of several', 'read write', ['read', 'write']],
    ['blanks around and between', '  read   write ', ['read', 'write']],
    ['blanks alone', '   ', []],
    ['the empty string', '', []],
    ['another white space, which parts no scopes', 'read\twrite\u00a0x', ['read\twrite\u00a0x']],
    ['a comma, which is a letter', 'read,write', ['read,write']],
    ['a scope twice', 'b a b', ['b', 'a']],
    ['an array', ['read', 'write'], ['read', 'write']],
    ['an array whose members hold several', ['a b', 'b', '', ' c '], ['a', 'b', 'c']],
    ['members that are no strings', ['a', 1, null, ['b'], { c: 'c' }], ['a']],
    ['an object', { read: true }, []],
    ['a number', 7, []],
    ['null', null, []],
    ['nothing', undefined, []],
  ]
  test.each(cases)('from %s', (_, scope, expected) => {
    const subject = subjectOf({ scope })
    expect(subject?.scopes).toEqual(expected)
    expect(Object.isFrozen(subject?.scopes)).toBe(true)
  })

  test('come from every path, each once', () => {
    const read = createClaimReader({ ...presets.generic, scopes: ['scp', 'ext.scope'] })
    expect(read({ sub: 'alice', scp: ['a', 'b'], ext: { scope: 'b c' }, scope: 'x' })?.scopes).toEqual(['a', 'b', 'c'])
  })
})

describe('the e-mail address', () => {
  const cases: readonly (readonly [name: string, claims: Claims, expected: string | undefined])[] = [
    ['is there where nothing is said of it', { email: 'a@b.c' }, 'a@b.c'],
    ['is there where it is verified', { email: 'a@b.c', email_verified: true }, 'a@b.c'],
    ['is there where a string says so', { email: 'a@b.c', email_verified: 'true' }, 'a@b.c'],
    ['is not there where it is not verified', { email: 'a@b.c', email_verified: false }, undefined],
    ['is not there where a string says so', { email: 'a@b.c', email_verified: 'false' }, undefined],
    ['is not there where it says something else', { email: 'a@b.c', email_verified: 'maybe' }, undefined],
    ['is not there where it says null', { email: 'a@b.c', email_verified: null }, undefined],
    ['is not there where one of two says no', { email: 'a@b.c', email_verified: true, xms_edov: false }, undefined],
    ['is not the empty string', { email: '', email_verified: true }, undefined],
    ['is no array', { email: ['a@b.c'] }, undefined],
    ['is no object', { email: { address: 'a@b.c' } }, undefined],
    ['is absent', { email_verified: true }, undefined],
  ]
  test.each(cases)('%s', (_, claims, expected) => {
    const subject = subjectOf(claims) ?? {}
    expect(Object.hasOwn(subject, 'email')).toBe(expected !== undefined)
    if (expected !== undefined) expect(subject).toHaveProperty('email', expected)
  })

  test('may be elsewhere, and what is said of it is at the top', () => {
    const read = createClaimReader({ ...presets.generic, email: 'user.mail' })
    expect(read({ sub: 'alice', user: { mail: 'a@b.c', email_verified: false }, email: 'x@y.z' })?.email).toBe('a@b.c')
    expect(read({ sub: 'alice', user: { mail: 'a@b.c' }, email_verified: false })).not.toHaveProperty('email')
  })

  test('is not read without a path', () => {
    const { email: _, ...paths } = presets.generic
    expect(createClaimReader(paths)({ sub: 'alice', email: 'a@b.c' })).not.toHaveProperty('email')
  })
})

describe('the subject claim', () => {
  test.each([undefined, null, '', 0, 7, true, ['alice'], { id: 'alice' }])('%j names nobody', (sub) => {
    expect(createClaimReader(presets.generic)({ sub })).toBeUndefined()
  })

  test('may lie deep', () => {
    const read = createClaimReader({ subject: 'user.id', grants: [], roles: [] })
    expect(read({ user: { id: 'alice' } })?.id).toBe('alice')
    expect(read({ user: 'alice', 'user.id': 'root' })).toBeUndefined()
  })
})

describe('the virtual server claim', () => {
  const cases: readonly (readonly [name: string, claims: Claims, expected: string | null | undefined])[] = [
    ['absent names none', {}, undefined],
    ['absent in an object names none', { ext: {} }, undefined],
    ['a string names one', { ext: { vs: 'team-a/desk' } }, 'team-a/desk'],
    ['the empty string names one', { ext: { vs: '' } }, ''],
    ['null names one that cannot exist', { ext: { vs: null } }, null],
    ['a number names one that cannot exist', { ext: { vs: 1 } }, null],
    ['an array names one that cannot exist', { ext: { vs: ['team-a/desk'] } }, null],
    ['a place that cannot hold it names one that cannot exist', { ext: 'team-a/desk' }, null],
  ]
  test.each(cases)('%s', (_, claims, expected) => {
    const read = createClaimReader({ ...presets.generic, virtualServer: 'ext.vs' })
    const subject = read({ sub: 'alice', ...claims })
    expect(subject).toEqual({
      id: 'alice',
      grants: {},
      roles: [],
      groups: [],
      scopes: [],
      ...(expected === undefined ? {} : { virtualServer: expected }),
    })
    expect(Object.hasOwn(subject ?? {}, 'virtualServer')).toBe(expected !== undefined)
  })

  test('that is named like a member of every object is absent unless it is there', () => {
    const read = createClaimReader({ ...presets.generic, virtualServer: 'constructor' })
    expect(read({ sub: 'alice' })).not.toHaveProperty('virtualServer')
    expect(read({ sub: 'alice', constructor: 'v' })).toHaveProperty('virtualServer', 'v')
  })
})

test('whatever the claims hold, a subject has only strings, and cannot be changed', () => {
  const name = fc.constantFrom('sub', 'roles', 'grants', 'groups', 'scope', 'email', '__proto__', 'constructor', 's')
  const json = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, fc.string(), fc.integer(), fc.constant(null), tie('array'), tie('object')),
    array: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: false }),
  }))
  fc.assert(
    fc.property(json.object, (claims) => {
      const subject = createClaimReader(presets.generic)(claims as Claims)
      if (subject === undefined) return
      const { grants, roles, groups = [], scopes = [], email = '' } = subject
      const lists = [...Object.values(grants), roles, groups, scopes]
      expect([subject, grants, ...lists].every(Object.isFrozen)).toBe(true)
      for (const value of [...lists.flat(), email]) expect(value).toBeTypeOf('string')
      for (const scope of scopes) expect(scope).toMatch(/^[^ ]+$/)
    }),
  )
})

test('a path that does not parse is refused with its text', () => {
  const make = (changes: Partial<ClaimPaths>) => () => createClaimReader({ ...presets.generic, ...changes })
  expect(make({ subject: 'a..b' })).toThrow(
    new TypeError('claim path `a..b`: expected names separated by single dots; write `\\.` for a dot in a name'),
  )
  expect(make({ grants: ['grants'] })).toThrow(TypeError)
  expect(make({ roles: ['roles.*'] })).toThrow(TypeError)
  expect(make({ groups: ['groups.*'] })).toThrow(TypeError)
  expect(make({ scopes: ['.scope'] })).toThrow(TypeError)
  expect(make({ email: 'email.' })).toThrow(TypeError)
  expect(make({ virtualServer: '*' })).toThrow(TypeError)
})

function subjectOf(claims: Claims, withSubject = true): Subject | undefined {
  const own = withSubject ? { sub: 'alice', ...claims } : claims
  return createClaimReader(presets.generic)(own)
}
