import { decodeJwt } from 'jose'
import type { Keycloak, Tokens } from './keycloak.ts'

/** An act that ends what a token says, and by which feeds that is heard. */
export interface Act {
  readonly what: string
  readonly of?: string
  readonly heardBy: 'both' | 'events'
  /** The tool that is denied by it; the token ends as a whole unless `reason` says otherwise. */
  readonly tool?: string
  readonly reason?: 'role_missing'
  readonly prepare?: (keycloak: Keycloak) => Promise<void>
  readonly act: (keycloak: Keycloak, tokens: Tokens) => Promise<unknown>
}

const sidOf = ({ access_token: token }: Tokens): string => String(decodeJwt(token)['sid'])
const subOf = ({ access_token: token }: Tokens): string => String(decodeJwt(token).sub)
const refreshed = ({ refresh_token: token = '' }: Tokens) => ({ client_id: 'mcp-cli', refresh_token: token })

/** Every act that Keycloak knows, in an order in which none keeps the next from being done. */
export const acts: readonly Act[] = [
  {
    what: 'the user logs out',
    heardBy: 'both',
    act: async ({ post }, tokens) => await post('logout', refreshed(tokens)),
  },
  {
    what: 'an admin ends the session',
    heardBy: 'both',
    act: async ({ admin }, tokens) => await admin('DELETE', `/sessions/${sidOf(tokens)}`),
  },
  {
    what: 'an admin logs the user out',
    heardBy: 'both',
    act: async ({ admin }, tokens) => await admin('POST', `/users/${subOf(tokens)}/logout`),
  },
  {
    what: 'an admin logs everybody out',
    heardBy: 'events',
    act: async ({ admin }) => await admin('POST', '/logout-all'),
  },
  {
    what: 'not-before of the realm',
    heardBy: 'events',
    act: async ({ admin }) => await admin('PUT', '', { notBefore: Math.floor(Date.now() / 1000) }),
  },
  {
    what: 'the access token is revoked',
    heardBy: 'events',
    act: async ({ post }, { access_token: token }) => await post('revoke', { client_id: 'mcp-cli', token }),
  },
  {
    what: 'the refresh token is revoked',
    heardBy: 'events',
    act: async ({ post }, { refresh_token: token = '' }) => await post('revoke', { client_id: 'mcp-cli', token }),
  },
  {
    what: 'a role is taken from the user',
    heardBy: 'events',
    reason: 'role_missing',
    act: async (keycloak, tokens) => await takeRole(keycloak, `/users/${subOf(tokens)}`, 'tool:forecast'),
  },
  {
    what: 'a role is taken from a group',
    of: 'bob',
    heardBy: 'events',
    tool: 'weather_set_alert',
    reason: 'role_missing',
    prepare: async ({ admin, idOf }) => {
      await admin('PUT', `/users/${await idOf('/users', 'bob')}/groups/${await idOf('/groups', 'forecasters')}`)
    },
    act: async (keycloak) => {
      await takeRole(keycloak, `/groups/${await keycloak.idOf('/groups', 'forecasters')}`, 'tool:set_alert')
    },
  },
  {
    what: 'the user leaves a group',
    of: 'bob',
    heardBy: 'events',
    act: async ({ admin, idOf }, tokens) =>
      await admin('DELETE', `/users/${subOf(tokens)}/groups/${await idOf('/groups', 'forecasters')}`),
  },
  {
    what: 'a role is deleted',
    heardBy: 'events',
    tool: 'files_read_file',
    act: async ({ admin, idOf }) =>
      await admin('DELETE', `/clients/${await idOf('/clients', 'files-server')}/roles/tool:delete_file`),
  },
  {
    what: 'the user is disabled',
    heardBy: 'events',
    tool: 'files_read_file',
    act: async ({ admin }, tokens) => await admin('PUT', `/users/${subOf(tokens)}`, { enabled: false }),
  },
  {
    what: 'the user is deleted',
    of: 'bob',
    heardBy: 'events',
    act: async ({ admin }, tokens) => await admin('DELETE', `/users/${subOf(tokens)}`),
  },
]

async function takeRole({ admin, idOf }: Keycloak, holder: string, name: string): Promise<void> {
  const client = await idOf('/clients', 'weather-server')
  const mapped = `${holder}/role-mappings/clients/${client}`
  const roles = (await admin('GET', mapped)) as readonly { readonly id: string; readonly name: string }[]
  await admin(
    'DELETE',
    mapped,
    roles.filter((role) => role.name === name).map(({ id }) => ({ id, name })),
  )
}
