import { decodeJwt } from 'jose'
import { describe, expect, it } from 'vitest'
import { readBundle } from '../../src/bundle/bundle.ts'
import { createCheckedStore } from '../../src/engine.ts'
import { createCheck } from '../../src/envoy/check.ts'
import { buildPolicy, opa, rulesWith } from '../bundle/built-policy.ts'
import { strict } from '../envoy/authorizers.ts'
import { decodeCheckResponse, encodeCheckRequest } from '../envoy/messages.ts'
import { bearer, sceneWith } from './scenes.ts'

/** A policy that lets only the mesh's agents call, and lists for them alone. */
const meshOnly = rulesWith({
  decision: `default decision := {"allow": false, "reasons": [{"code": "role_missing"}], "resource": {"type": "tool"}}

decision := {"allow": true, "reasons": [], "resource": {"type": "tool"}} if {
	startswith(input.context.principal, "spiffe://mesh/")
}`,
  capabilities: `capabilities := {"tools": {server: ["forecast"] | some server in names}, "prompts": {}, "resources": {}, "templates": {}}

names contains "weather" if startswith(input.context.principal, "spiffe://mesh/")`,
})

describe.runIf(opa !== undefined)('who opened the connection', () => {
  it('is there for a policy to read, in the decision and in what is listed, and is nobody else', async () => {
    const store = createCheckedStore()
    store.replace(await readBundle(await buildPolicy(meshOnly)), {})
    const { authorizer } = sceneWith({ engine: store.current })
    const check = createCheck({ authorizer, read: strict })
    const token = bearer()
    const ask = async (principal: string) => {
      const body = Buffer.from('{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"weather_forecast"}}')
      // A client's own word for it, in every header that could be mistaken for the connection's.
      const headers = {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        principal: 'spiffe://mesh/x',
      }
      const request = { http: { method: 'POST', headers, raw_body: body } }
      return decodeCheckResponse(await check(encodeCheckRequest({ attributes: { source: { principal }, request } })))
    }
    for (const [principal, allowed] of [
      ['spiffe://mesh/agent', true],
      ['spiffe://elsewhere/agent', false],
      ['', false],
      ['spiffe://mesh/agent', true],
    ] as const) {
      const reply = await ask(principal)
      expect('ok_response' in reply, principal).toBe(allowed)
      const minted = reply.ok_response?.headers?.[0]?.header.value
      if (minted !== undefined) {
        expect(JSON.parse(String(decodeJwt(minted)['allowed-capabilities'])).tools).toEqual({ weather: ['forecast'] })
      }
    }
  })
})
