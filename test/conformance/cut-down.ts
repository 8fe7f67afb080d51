// The network doors over credentials that are cut down, as API keys and revocations cut them down.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeJwt } from 'jose'
import type { Authorizer } from '../../src/authorizer/attempt.ts'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { loadCapabilityKey } from '../../src/capabilities/key.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import type { Config } from '../../src/config/config.ts'
import { loadData } from '../../src/config/data.ts'
import { loadEngine } from '../../src/engine.ts'
import { createEnvoyDoor } from '../../src/envoy/server.ts'
import { createHttpDoor } from '../../src/http/app.ts'
import { createAuthenticator } from '../../src/identity/authenticator.ts'
import type { Authenticator, Credential } from '../../src/identity/subject.ts'
import type { Service } from '../../src/service.ts'
import type { Case, CutDown } from './cases.ts'

const claim = 'test_cut_down'

/** The claims of a case, and beside them by what its credential is cut down. */
export function claimsWithCutDown({ claims, cutDown }: Case): Case['claims'] {
  return cutDown === undefined ? claims : { ...claims, [claim]: cutDown }
}

/** Both network doors over one authorizer that believes {@link claimsWithCutDown}. */
export async function startCutDown(config: Config, keyFile: string): Promise<Service & { authorizer: Authorizer }> {
  const { profile, maxBodyBytes, maxDepth, batches, kuadrant } = config.mcp
  const read = { profile, maxBodyBytes, maxDepth, batches, headersOnly: kuadrant.headersOnly }
  const engine = await loadEngine({ bundle: config.bundleFile, data: await loadData(config.dataFiles) })
  const key = await loadCapabilityKey(keyFile)
  const identity = createAuthenticator({ issuers: config.issuers })
  const authorizer = createAuthorizer({
    authenticator: cuttingDown(identity),
    engine: () => engine,
    minter: createMinter({ ...config.capabilities, profile }, () => key),
    profile,
  })
  const envoy = await createEnvoyDoor({ authorizer, read, address: config.listen.grpc, onFault: () => undefined })
  const metrics = { contentType: 'text/plain', text: async () => '' }
  const origin = () => 'http://127.0.0.1'
  const http = createServer(
    createHttpDoor({ authorizer, read, ready: () => true, metrics, jwks: () => key.jwks, origin }),
  ).listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    authorizer,
    grpc: envoy.address,
    http: `127.0.0.1:${(http.address() as AddressInfo).port}`,
    async stop() {
      await envoy.drain({ deadlineMs: 1000, noticeMs: 0 })
      http.closeAllConnections()
      http.close()
      identity.close()
    },
  }
}

function cuttingDown(identity: Authenticator): Authenticator {
  return {
    async authenticate(credential) {
      const authentication = await identity.authenticate(credential)
      if (!authentication.ok) return authentication
      const cutDown = claimsOf(credential)[claim] as CutDown | undefined
      return { ok: true, subject: { ...authentication.subject, ...cutDown } }
    },
  }
}

function claimsOf(credential: Credential): Readonly<Record<string, unknown>> {
  if (credential.kind === 'claims') return credential.claims
  if (credential.kind === 'token') return decodeJwt(credential.token)
  if (credential.kind === 'authorization') return decodeJwt(credential.values[0]?.split(' ')[1] ?? '')
  return {}
}
