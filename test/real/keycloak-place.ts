import { afterAll, beforeAll, describe, expect } from 'vitest'
import { createGuard } from '../../src/guard/index.ts'
import { envoyConfig } from './envoy-config.ts'
import { type Envoy, envoyProgram, startEnvoy } from './envoy-process.ts'
import { mcpHeaders, reasonIn, send, toolCall } from './http-client.ts'
import { type Installation, install, type RunningService } from './installation.ts'
import { type Keycloak, keycloakProgram, startKeycloak, type Tokens } from './keycloak.ts'
import { connectWith, data, type Person, startBroker } from './keycloak-broker.ts'
import { leaks } from './place.ts'

/** Keycloak, the service that trusts it, a broker with the guard in it, and Envoy before that. */
export interface KeycloakPlace {
  readonly keycloak: Keycloak
  readonly installation: Installation
  readonly service: RunningService
  /** What a user is given for a password. */
  logIn(user: string, client?: string): Promise<Tokens>
  /** An access token of the service account with 60 seconds to live. */
  agentToken(): Promise<string>
  /** Connects an MCP client through Envoy. */
  connect(token: string): Promise<Person>
  /** `ok`, or why a tool call through Envoy is denied. */
  call(token: string, tool: string): Promise<string>
}

/** `describe` where Keycloak and Envoy are installed. */
export const real = describe.runIf(envoyProgram !== undefined && keycloakProgram !== undefined)

/** The limit for what waits on Keycloak, in milliseconds. */
export const patient = { timeout: 60_000 }

/** Opens one for the tests of a file. After the tests no token may stand in a log. */
export function useKeycloakPlace(issuer: object, files: Readonly<Record<string, string>> = {}): () => KeycloakPlace {
  const undo: (() => Promise<void> | void)[] = []
  let place: (KeycloakPlace & { readonly envoy: Envoy; readonly tokens: readonly string[] }) | undefined
  beforeAll(async () => {
    if (envoyProgram !== undefined && keycloakProgram !== undefined) place = await openPlace({ issuer, files }, undo)
  }, 120_000)
  afterAll(async () => {
    if (place !== undefined) {
      const signatures = place.tokens.map((token) => token.split('.')[2] ?? token)
      expect(leaks(signatures, (await place.envoy.written()) + place.service.log())).toEqual([])
    }
    for (const step of undo.toReversed()) await step()
  }, 30_000)
  return () => {
    if (place === undefined) throw new Error('the place is not open')
    return place
  }
}

interface Setting {
  readonly issuer: object
  readonly files: Readonly<Record<string, string>>
}

async function openPlace({ issuer, files }: Setting, undo: (() => Promise<void> | void)[]) {
  const keycloak = await startKeycloak()
  undo.push(keycloak.stop)
  const installation = await install({ issuers: [{ issuer: keycloak.issuer, ...issuer }], data, files })
  undo.push(installation.remove)
  const service = await installation.start()
  undo.push(service.stop)
  const guard = await createGuard({ config: installation.configFile })
  undo.push(guard.close)
  const broker = await startBroker(guard)
  undo.push(broker.close)
  const ports = { authorizers: [service.grpcPort], upstream: broker.port }
  const envoy = await startEnvoy((accessLog) => envoyConfig(accessLog, ports, { documented: () => undefined }))
  undo.push(envoy.stop)
  const port = envoy.port('documented')
  const tokens: string[] = []
  return {
    keycloak,
    installation,
    service,
    envoy,
    tokens,
    async logIn(user: string, client = 'mcp-cli') {
      const given = await keycloak.token({
        grant_type: 'password',
        client_id: client,
        username: user,
        password: user,
        scope: 'openid',
      })
      tokens.push(...Object.values(given).filter((value) => String(value).includes('.')))
      return given
    },
    async agentToken() {
      const agent = { client_id: 'mcp-agent', client_secret: 'agent-secret' }
      const { access_token: token } = await keycloak.token({ grant_type: 'client_credentials', ...agent })
      tokens.push(token)
      return token
    },
    connect: async (token: string) => await connectWith(token, port),
    async call(token: string, tool: string) {
      const answer = await send(port, { headers: mcpHeaders(token), body: toolCall(tool) })
      return answer.status === 200 ? 'ok' : reasonIn(answer)
    },
  }
}
