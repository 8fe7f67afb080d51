import { describe, expect, test } from 'vitest'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { loadEngine } from '../../src/engine.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import { type PresetName, presets } from '../../src/identity/claims.ts'
import type { IssuerOptions } from '../../src/identity/options.ts'
import type { Authentication, Subject } from '../../src/identity/subject.ts'
import { craft, issuerOptions, jwkOf, nowMs, rsaKeys, signer } from './tokens.ts'
import {
  entra,
  entra1,
  entraOverage,
  entraService,
  generic,
  google,
  googlePlatform,
  googleUser,
  ibmVerify,
  keycloak,
  keycloakLightweight,
  keycloakService,
  okta,
  type VendorToken,
} from './vendor-tokens.ts'

const rsa = rsaKeys()

async function authenticate(
  preset: PresetName,
  { issuer, audience, header, claims }: VendorToken,
  rules: Partial<IssuerOptions> = {},
): Promise<Authentication> {
  const keys = [jwkOf(rsa, { kid: 'k', use: 'sig', alg: 'RS256' })]
  const options = issuerOptions(keys, { issuer, audiences: [audience], claims: presets[preset], ...rules })
  const authenticator = createAuthenticator({ issuers: [options], now: () => nowMs })
  const token = craft(
    { alg: 'RS256', kid: 'k', ...header },
    { iss: issuer, ...claims },
    signer('RS256', rsa.privateKey),
  )
  return await authenticator.authenticate({ kind: 'token', token })
}

type Expected = Pick<Subject, 'id' | 'grants' | 'roles' | 'groups' | 'scopes' | 'email'>

const subjects: readonly (readonly [name: string, preset: PresetName, token: VendorToken, subject: Expected])[] = [
  [
    'of a user of Keycloak',
    'keycloak',
    keycloak,
    {
      id: 'f00c45a4-1f2c-4a5d-9f9a-6b4a51f3a1de',
      // What is no `type:name`, as the roles of Keycloak's own client, is nothing to the policy.
      grants: {
        'weather-server': ['tool:forecast', 'tool:set_alert', 'prompt:trip'],
        account: ['manage-account', 'view-profile'],
      },
      roles: ['default-roles-mcp', 'offline_access', 'forecaster'],
      groups: ['/weather/desk'],
      scopes: ['openid', 'profile', 'email'],
      email: 'alice@example.test',
    },
  ],
  [
    'of a service account of Keycloak',
    'keycloak',
    keycloakService,
    {
      id: '0f6c1f3e-5a3d-4a1c-8d57-c8a9f2f6b0aa',
      grants: { 'files-server': ['tool:read_file'] },
      roles: [],
      groups: [],
      scopes: ['profile', 'email'],
    },
  ],
  [
    'of a user of Okta',
    'okta',
    okta,
    {
      id: 'alice@example.com',
      grants: { weather: ['tool:alerts'] },
      roles: ['Everyone', 'forecaster'],
      groups: ['Everyone', 'forecaster'],
      scopes: ['openid', 'mcp.call', 'mcp.read'],
    },
  ],
  [
    'of a user of Entra',
    'entra',
    entra,
    {
      id: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
      grants: {},
      roles: ['forecaster', '0d3ac3bf-6b4e-4a1d-a0a3-2c3a8d1f6b7e'],
      groups: ['0d3ac3bf-6b4e-4a1d-a0a3-2c3a8d1f6b7e'],
      scopes: ['mcp.call', 'mcp.read'],
      email: 'alice@contoso.com',
    },
  ],
  [
    'of a user of Entra, version 1',
    'entra',
    entra1,
    {
      id: 'l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA',
      grants: {},
      roles: ['forecaster', '0d3ac3bf-6b4e-4a1d-a0a3-2c3a8d1f6b7e'],
      groups: ['0d3ac3bf-6b4e-4a1d-a0a3-2c3a8d1f6b7e'],
      scopes: ['mcp.call'],
    },
  ],
  [
    'of a user of Entra who has too many groups',
    'entra',
    entraOverage,
    {
      id: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
      grants: {},
      roles: ['forecaster'],
      groups: [],
      scopes: ['mcp.call', 'mcp.read'],
      email: 'alice@contoso.com',
    },
  ],
  [
    'of an application of Entra',
    'entra',
    entraService,
    { id: '5b6c7d8e-9f00-4111-8222-333344445555', grants: {}, roles: ['forecaster'], groups: [], scopes: [] },
  ],
  [
    'of a service account of Google',
    'google',
    google,
    {
      id: '113774264463038321964',
      grants: {},
      roles: [],
      groups: [],
      scopes: [],
      email: 'agent@project.iam.gserviceaccount.com',
    },
  ],
  [
    "of a user of Google's Identity Platform",
    'google',
    googlePlatform,
    {
      id: 'XVHJ2K4mQ7dZ',
      grants: { weather: ['tool:alerts'] },
      roles: ['forecaster'],
      groups: ['forecaster'],
      scopes: [],
    },
  ],
  [
    'of a user of IBM Verify',
    'ibm-verify',
    ibmVerify,
    {
      id: '6440001ABC',
      grants: {},
      roles: ['forecaster', 'desk'],
      groups: ['forecaster', 'desk'],
      scopes: ['openid', 'mcp.call'],
      email: 'alice@example.com',
    },
  ],
  [
    'of an authorization server that keeps to RFC 9068',
    'generic',
    generic,
    {
      id: '5ba552d67',
      grants: { weather: ['tool:alerts'] },
      roles: ['forecaster'],
      groups: ['desk'],
      scopes: ['mcp.call', 'mcp.read'],
    },
  ],
]

describe('the subject of a token', () => {
  test.each(subjects)('%s', async (_name, preset, token, subject) => {
    const outcome = await authenticate(preset, token)
    const { exp } = token.claims as { exp: number }
    const facts = expect.objectContaining({ subject: subject.id })
    expect(outcome).toEqual({ ok: true, subject: { ...subject, expiresAt: exp, facts } })
  })
})

const clients: readonly (readonly [name: string, preset: PresetName, token: VendorToken, client: string])[] = [
  ['Keycloak', 'keycloak', keycloak, 'mcp-cli'],
  ['Okta', 'okta', okta, '0oabskvc6442nkvQO0h7'],
  ['Entra', 'entra', entra, '6731de76-14a6-49ae-97bc-6eba6914391e'],
  ['Entra, version 1', 'entra', entra1, '6731de76-14a6-49ae-97bc-6eba6914391e'],
  ['Google', 'google', google, '113774264463038321964'],
  ['IBM Verify', 'ibm-verify', ibmVerify, 'a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d'],
  ['RFC 9068', 'generic', generic, 's6BhdRkqt3'],
]

describe('the client a token was issued to is found as it is named by', () => {
  test.each(clients)('%s', async (_name, preset, token, client) => {
    expect(await authenticate(preset, token, { authorizedParties: [client] })).toMatchObject({ ok: true })
    expect(await authenticate(preset, token, { authorizedParties: ['another'] })).toMatchObject({ code: 'token_party' })
  })
})

describe('what an issuer signs that is no access token, or none for this service, is refused', () => {
  const entraId = { ...entra, claims: { ...entra.claims, azp: undefined, scp: undefined } }
  const rows: readonly (readonly [string, PresetName, VendorToken, Partial<IssuerOptions>, string])[] = [
    ['a lightweight token of Keycloak', 'keycloak', keycloakLightweight, {}, 'token_claim_missing'],
    ['an ID token of Keycloak', 'keycloak', changed(keycloak, { typ: 'ID' }), {}, 'token_type'],
    ['a refresh token of Keycloak', 'keycloak', changed(keycloak, { typ: 'Refresh' }), {}, 'token_type'],
    [
      'a token of Keycloak without an audience mapper',
      'keycloak',
      changed(keycloak, { aud: undefined }),
      {},
      'token_audience',
    ],
    ['an ID token of a user of Google', 'google', googleUser, {}, 'token_type'],
    ['an ID token of Okta', 'okta', changed(okta, { at_hash: 'fPlsvVszI29LU2UhDyJ9vg' }), {}, 'token_type'],
    [
      'a token of Okta for Okta itself',
      'okta',
      { ...okta, header: { typ: 'application/okta-internal-at+jwt' } },
      {},
      'token_type',
    ],
    [
      'an ID token of Entra, of which nothing else tells it apart, where `azp` is required',
      'entra',
      entraId,
      { requiredClaims: ['azp'] },
      'token_claim_missing',
    ],
    [
      'a token of Entra for another API',
      'entra',
      changed(entra, { aud: 'https://graph.microsoft.com' }),
      {},
      'token_audience',
    ],
    [
      'a token of another tenant of Entra',
      'entra',
      changed(entra, { iss: 'https://login.microsoftonline.com/x/v2.0' }),
      {},
      'token_issuer_unknown',
    ],
  ]
  test.each(rows)('%s', async (_name, preset, token, rules, code) => {
    expect(await authenticate(preset, token, rules)).toMatchObject({ ok: false, code })
  })
})

test("the roles of Keycloak's own client open nothing, not even where the catalogue is open", async () => {
  const engine = await loadEngine({ data: { settings: { catalogue: 'open' } } })
  const authenticator = { authenticate: async () => await authenticate('keycloak', keycloak) }
  const authorizer = createAuthorizer({ authenticator, engine: () => engine, profile: 'strict' })
  expect(await authorizer.capabilities({ kind: 'token', token: 't' }, [])).toMatchObject({
    ok: true,
    capabilities: {
      tools: { 'weather-server': ['forecast', 'set_alert'] },
      prompts: { 'weather-server': ['trip'] },
      resources: {},
      templates: {},
    },
  })
})

test('an address that Entra does not vouch for is no address', async () => {
  for (const xms_edov of [false, 'false', 0, null]) {
    const outcome = await authenticate('entra', changed(entra, { xms_edov }))
    expect(outcome.ok && outcome.subject).not.toHaveProperty('email')
  }
  for (const xms_edov of [true, '1', 1, undefined]) {
    const outcome = await authenticate('entra', changed(entra, { xms_edov }))
    expect(outcome.ok && outcome.subject).toHaveProperty('email', 'alice@contoso.com')
  }
})

function changed(token: VendorToken, changes: Readonly<Record<string, unknown>>): VendorToken {
  return { ...token, claims: { ...token.claims, ...changes } }
}
