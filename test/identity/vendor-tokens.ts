import { now } from './tokens.ts'

/** A token as an issuer documents it: what the issuer is called, its header beside `alg` and `kid`, and its claims. */
export interface VendorToken {
  readonly issuer: string
  readonly audience: string
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

const times = { iat: now - 30, exp: now + 270 }
const tenant = '72f988bf-86f1-41af-91ab-2d7cd011db47'
const api = '11112222-bbbb-3333-cccc-4444dddd5555'
const desk = '6731de76-14a6-49ae-97bc-6eba6914391e'

/** Keycloak 26: client roles under `resource_access`, `aud` from audience mappers, groups from a group membership mapper. */
export const keycloak: VendorToken = {
  issuer: 'https://sso.example.com/realms/mcp',
  audience: 'mcp-gateway',
  header: { typ: 'JWT' },
  claims: {
    ...times,
    jti: 'onrtro:3f0d8f0e-7b0a-4c55-8a7f-2a1f5f2c9d11',
    aud: ['mcp-gateway', 'http://127.0.0.1:8001/mcp', 'account'],
    sub: 'f00c45a4-1f2c-4a5d-9f9a-6b4a51f3a1de',
    typ: 'Bearer',
    azp: 'mcp-cli',
    sid: 'Qm9sdWJhSk9XbVRIb3Nl',
    acr: '1',
    'allowed-origins': ['http://127.0.0.1'],
    realm_access: { roles: ['default-roles-mcp', 'offline_access', 'forecaster'] },
    resource_access: {
      'weather-server': { roles: ['tool:forecast', 'tool:set_alert', 'prompt:trip'] },
      account: { roles: ['manage-account', 'view-profile'] },
    },
    groups: ['/weather/desk'],
    scope: 'openid profile email',
    email_verified: true,
    name: 'Alice A',
    preferred_username: 'alice',
    email: 'alice@example.test',
  },
}

/** A service account: `trrtcc` in the `jti`, no session. */
export const keycloakService: VendorToken = {
  ...keycloak,
  claims: {
    ...times,
    jti: 'trrtcc:0d7f4a0d-30a7-4f0c-a2ae-51a9c0bd7ed6',
    aud: 'mcp-gateway',
    sub: '0f6c1f3e-5a3d-4a1c-8d57-c8a9f2f6b0aa',
    typ: 'Bearer',
    azp: 'mcp-agent',
    acr: '1',
    resource_access: { 'files-server': { roles: ['tool:read_file'] } },
    scope: 'profile email',
    email_verified: false,
    clientHost: '127.0.0.1',
    preferred_username: 'service-account-mcp-agent',
    clientAddress: '127.0.0.1',
    client_id: 'mcp-agent',
  },
}

/** `client.use.lightweight.access.token.enabled`: whose it is, and what it grants, only introspection tells. */
export const keycloakLightweight: VendorToken = {
  ...keycloak,
  claims: {
    ...times,
    jti: 'onltro:3f0d8f0e-7b0a-4c55-8a7f-2a1f5f2c9d11',
    aud: 'mcp-gateway',
    typ: 'Bearer',
    azp: 'mcp-cli',
    sid: 'Qm9sdWJhSk9XbVRIb3Nl',
    scope: 'openid profile email',
  },
}

/** Okta, custom authorization server: no `typ`, `cid`, `scp` in an array, and `groups` from a claim of that name. */
export const okta: VendorToken = {
  issuer: 'https://dev-1234567.okta.com/oauth2/default',
  audience: 'https://mcp.example.com/mcp',
  header: {},
  claims: {
    ...times,
    ver: 1,
    jti: 'AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE.oar1',
    iss: 'https://dev-1234567.okta.com/oauth2/default',
    aud: 'https://mcp.example.com/mcp',
    cid: '0oabskvc6442nkvQO0h7',
    uid: '00u4x6xq1ySRKBFMJ0h7',
    scp: ['openid', 'mcp.call', 'mcp.read'],
    auth_time: now - 600,
    sub: 'alice@example.com',
    groups: ['Everyone', 'forecaster'],
    mcp_grants: { weather: ['tool:alerts'] },
  },
}

/** Entra ID, version 2: the audience is the application id of the API, `scp` one string. */
export const entra: VendorToken = {
  issuer: `https://login.microsoftonline.com/${tenant}/v2.0`,
  audience: api,
  header: { typ: 'JWT' },
  claims: {
    ...times,
    aud: api,
    nbf: now - 30,
    aio: 'AXQAi/8IAAAAFm+E/QTG+gFnVxLJw==',
    azp: desk,
    azpacr: '0',
    groups: ['0d3ac3bf-6b4e-4a1d-a0a3-2c3a8d1f6b7e'],
    name: 'Alice A',
    oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    preferred_username: 'alice@contoso.com',
    rh: '0.AAAAtN6qc1pXfkO9RrhvTTf2wnU3H0k',
    roles: ['forecaster'],
    scp: 'mcp.call mcp.read',
    sid: '0f1c2d3e-4b5a-6978-8796-a5b4c3d2e1f0',
    sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ',
    tid: tenant,
    uti: 'fqiBqXLPj0eQa82S-IYFAA',
    ver: '2.0',
    email: 'alice@contoso.com',
    xms_edov: true,
  },
}

/** Entra ID, version 1: an issuer of its own, `appid`, the audience as the API's URI. */
export const entra1: VendorToken = {
  issuer: `https://sts.windows.net/${tenant}/`,
  audience: `api://${api}`,
  header: { typ: 'JWT', x5t: 'i6lGk3FZzxRcUb2C3nEQ7syHJlY' },
  claims: {
    ...times,
    aud: `api://${api}`,
    nbf: now - 30,
    acr: '1',
    amr: ['pwd', 'mfa'],
    appid: desk,
    appidacr: '0',
    groups: ['0d3ac3bf-6b4e-4a1d-a0a3-2c3a8d1f6b7e'],
    ipaddr: '203.0.113.7',
    name: 'Alice A',
    oid: '690222be-ff1a-4d56-abd1-7e4f7d38e474',
    roles: ['forecaster'],
    scp: 'mcp.call',
    sub: 'l3_roISQU222bULS9yi2k0XpqpOiMz5H3ZACo1GeXA',
    tid: tenant,
    unique_name: 'alice@contoso.com',
    upn: 'alice@contoso.com',
    uti: 'fqiBqXLPj0eQa82S-IYFAB',
    ver: '1.0',
  },
}

/** Beyond 200 groups Entra names a place to ask instead. */
export const entraOverage: VendorToken = {
  ...entra,
  claims: {
    ...Object.fromEntries(Object.entries(entra.claims).filter(([name]) => name !== 'groups')),
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: `https://graph.microsoft.com/v1.0/users/690222be/getMemberObjects` } },
  },
}

/** Entra's application permissions: `roles` without `scp`, the service principal as subject. */
export const entraService: VendorToken = {
  ...entra,
  claims: {
    ...times,
    aud: api,
    nbf: now - 30,
    azp: desk,
    azpacr: '1',
    idtyp: 'app',
    oid: '5b6c7d8e-9f00-4111-8222-333344445555',
    roles: ['forecaster'],
    sub: '5b6c7d8e-9f00-4111-8222-333344445555',
    tid: tenant,
    ver: '2.0',
  },
}

/** A service account of Google Cloud: an identity token for the audience it was asked for. */
export const google: VendorToken = {
  issuer: 'https://accounts.google.com',
  audience: 'https://mcp.example.com/mcp',
  header: { typ: 'JWT' },
  claims: {
    ...times,
    aud: 'https://mcp.example.com/mcp',
    azp: '113774264463038321964',
    email: 'agent@project.iam.gserviceaccount.com',
    email_verified: true,
    sub: '113774264463038321964',
  },
}

/** Google's Identity Platform: custom claims of a user beside the rest. */
export const googlePlatform: VendorToken = {
  issuer: 'https://securetoken.google.com/project',
  audience: 'project',
  header: { typ: 'JWT' },
  claims: {
    ...times,
    aud: 'project',
    auth_time: now - 600,
    user_id: 'XVHJ2K4mQ7dZ',
    sub: 'XVHJ2K4mQ7dZ',
    groups: ['forecaster'],
    mcp_grants: { weather: ['tool:alerts'] },
    email: 'alice@example.com',
    email_verified: false,
    firebase: { identities: { email: ['alice@example.com'] }, sign_in_provider: 'password' },
  },
}

/** Google signs users in with ID tokens: `at_hash` says so. */
export const googleUser: VendorToken = {
  ...google,
  claims: {
    ...google.claims,
    azp: 'desk.apps.googleusercontent.com',
    hd: 'example.com',
    at_hash: 'HK6E_P6Dh8Y93mRNtsDB1Q',
  },
}

/** IBM Verify with JWT as the format of access tokens, `groupIds` among the attributes mapped. */
export const ibmVerify: VendorToken = {
  issuer: 'https://tenant.verify.ibm.com/oauth2',
  audience: 'https://mcp.example.com/mcp',
  header: { typ: 'at+jwt' },
  claims: {
    ...times,
    aud: ['https://mcp.example.com/mcp'],
    client_id: 'a1b2c3d4-5e6f-4a7b-8c9d-0e1f2a3b4c5d',
    grant_type: 'authorization_code',
    groupIds: ['forecaster', 'desk'],
    jti: 'xWq2OUgeQnpmYYtrHUVY9fFWlHh0ve',
    preferred_username: 'alice',
    realmName: 'cloudIdentityRealm',
    scope: 'openid mcp.call',
    sub: '6440001ABC',
    email: 'alice@example.com',
  },
}

/** An authorization server that keeps to RFC 9068. */
export const generic: VendorToken = {
  issuer: 'https://as.example.com',
  audience: 'https://mcp.example.com/mcp',
  header: { typ: 'at+jwt' },
  claims: {
    ...times,
    aud: 'https://mcp.example.com/mcp',
    sub: '5ba552d67',
    client_id: 's6BhdRkqt3',
    jti: 'dbe39bf3a3ba4238a513f51d6e1691c4',
    auth_time: now - 600,
    scope: 'mcp.call mcp.read',
    groups: ['desk'],
    roles: ['forecaster'],
    grants: { weather: ['tool:alerts'] },
  },
}
