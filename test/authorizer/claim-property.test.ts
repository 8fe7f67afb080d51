import fc from 'fast-check'
import { decodeJwt } from 'jose'
import { expect, it } from 'vitest'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { serverWide } from '../../src/authorizer/decision.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import type { Authenticator } from '../../src/identity/subject.ts'
import { asker, catalogue } from '../policy/catalogues.ts'
import { engineOf } from '../policy/questions.ts'
import { capabilityKey } from './scenes.ts'

const options = { issuer: 'mcp-authz', audience: 'mcp-broker', lifetimeSeconds: 60, maxBytes: 99_999 }
const anybody = { kind: 'claims', claims: {} } as const

it('a token holds exactly the capabilities of its subject, bound or not', async () => {
  const session = fc.option(fc.string({ minLength: 1 }), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(catalogue, asker, session, async (data, who, id) => {
      const engine = engineOf(data)
      const authenticator: Authenticator = { authenticate: async () => ({ ok: true, subject: who.subject }) }
      const inside: unknown[] = []
      for (const bound of [false, true]) {
        const minter = createMinter({ ...options, profile: 'strict', bound }, () => capabilityKey)
        const authorizer = createAuthorizer({ authenticator, engine: () => engine, minter, profile: who.profile })
        const listing = serverWide('tools/list', who.virtualServers)
        const reading = { ...listing, ...(id === undefined ? {} : { session: id }) }
        const { capabilityToken, decision } = await authorizer.authorize({ credential: anybody, reading, mint: true })
        const outcome = await authorizer.capabilities(anybody, who.virtualServers)
        expect(capabilityToken !== undefined).toBe(decision.allow)
        expect(outcome.ok).toBe(decision.allow)
        const claim = capabilityToken === undefined ? undefined : decodeJwt(capabilityToken)
        const said = claim === undefined ? undefined : JSON.parse(String(claim['allowed-capabilities']))
        expect(said).toEqual(outcome.ok ? outcome.capabilities : undefined)
        expect(claim !== undefined && 'session' in claim).toBe(bound && decision.allow && id !== undefined)
        inside.push(said)
      }
      expect(inside[0]).toEqual(inside[1])
    }),
    { numRuns: 60 },
  )
}, 60_000)
