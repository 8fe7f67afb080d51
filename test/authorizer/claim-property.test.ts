import fc from 'fast-check'
import { decodeJwt } from 'jose'
import { expect, it } from 'vitest'
import { createAuthorizer } from '../../src/authorizer/authorizer.ts'
import { serverWide } from '../../src/authorizer/decision.ts'
import { createMinter } from '../../src/capabilities/mint.ts'
import type { Authenticator } from '../../src/identity/subject.ts'
import type { Data } from '../../src/policy/data.gen.ts'
import { asker, catalogue } from '../policy/catalogues.ts'
import { type Asker, engineOf } from '../policy/questions.ts'
import { capabilityKey } from './scenes.ts'

const options = { issuer: 'mcp-authz', audience: 'mcp-broker', lifetimeSeconds: 60, maxBytes: 99_999 }
const anybody = { kind: 'claims', claims: {} } as const

interface Asking {
  readonly data: Data
  readonly who: Asker
  readonly session: string | undefined
}

/** What is minted, and what may be used, for the same question. */
async function asked({ data, who, session }: Asking, bound: boolean) {
  const engine = engineOf(data)
  const authenticator: Authenticator = { authenticate: async () => ({ ok: true, subject: who.subject }) }
  const minter = createMinter({ ...options, profile: 'strict', bound }, () => capabilityKey)
  const authorizer = createAuthorizer({ authenticator, engine: () => engine, minter, profile: who.profile })
  const listing = serverWide('tools/list', who.virtualServers)
  const reading = session === undefined ? listing : { ...listing, session }
  const { capabilityToken, decision } = await authorizer.authorize({ credential: anybody, reading, mint: true })
  const outcome = await authorizer.capabilities(anybody, who.virtualServers)
  const claims = capabilityToken === undefined ? undefined : decodeJwt(capabilityToken)
  return { allowed: decision.allow, claims, capabilities: outcome.ok ? outcome.capabilities : undefined }
}

const asking = fc.record({
  data: catalogue,
  who: asker,
  session: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
})

it.each([false, true])(
  'a token holds exactly the capabilities of its subject, bound: %s',
  async (bound) => {
    await fc.assert(
      fc.asyncProperty(asking, async (question) => {
        const { allowed, claims, capabilities } = await asked(question, bound)
        expect(claims !== undefined).toBe(allowed)
        const said = claims?.['allowed-capabilities']
        expect(said === undefined ? undefined : JSON.parse(String(said))).toEqual(capabilities)
        expect(claims?.['session'] !== undefined).toBe(allowed && bound && question.session !== undefined)
      }),
      { numRuns: 60 },
    )
  },
  60_000,
)
