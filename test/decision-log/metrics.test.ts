import { describe, expect, it } from 'vitest'
import { createMetrics } from '../../src/decision-log/metrics.ts'
import type { Decision } from '../../src/policy/decision.gen.ts'

const allowed: Decision = {
  id: '1',
  allow: true,
  reasons: [],
  revision: 'r',
  action: 'ping',
  resource: { type: 'server' },
}
const denied: Decision = {
  ...allowed,
  allow: false,
  subject: 'somebody',
  action: 'tools/call',
  reasons: [{ code: 'role_missing', message: 'no', required: 'tool:secret_name on s' }],
  resource: { type: 'tool', server: 's', name: 'secret_name' },
}

describe('the metrics', () => {
  it('count decisions by outcome and first reason', async () => {
    const metrics = createMetrics({ revision: () => 'r', ready: () => true })
    for (const decision of [allowed, denied, denied]) metrics.decision(decision)
    const text = await metrics.text()
    expect(text).toContain('mcp_authz_decisions_total{allow="true",reason=""} 1\n')
    expect(text).toContain('mcp_authz_decisions_total{allow="false",reason="role_missing"} 2\n')
  })

  it('hold nothing that a client sent', async () => {
    const metrics = createMetrics({ revision: () => 'r', ready: () => true })
    metrics.decision(denied)
    const text = await metrics.text()
    expect(text).not.toContain('somebody')
    expect(text).not.toContain('secret_name')
  })

  it('name one revision, the one that decides when they are read, and tell readiness', async () => {
    const now = { revision: 'first', ready: false }
    const metrics = createMetrics({ revision: () => now.revision, ready: () => now.ready })
    expect(await metrics.text()).toContain('mcp_authz_ready 0\n')
    Object.assign(now, { revision: 'second', ready: true })
    const text = await metrics.text()
    expect(text).toContain('mcp_authz_policy_info{revision="second"} 1\n')
    expect(text).not.toContain('revision="first"')
    expect(text).toContain('mcp_authz_ready 1\n')
  })

  it('tell how many definitions changed, where somebody looks at them', async () => {
    const sources = { revision: () => 'r', ready: () => true }
    expect(await createMetrics({ ...sources, changedDefinitions: () => 3 }).text()).toContain(
      'mcp_authz_changed_definitions 3\n',
    )
    expect(await createMetrics(sources).text()).not.toContain('mcp_authz_changed_definitions')
  })

  it('count deprecated credentials by header and door', async () => {
    const metrics = createMetrics({ revision: () => 'r', ready: () => true })
    metrics.deprecated('x-authorized-tools')
    metrics.deprecated('x-authorized-tools', 'envoy')
    metrics.deprecated('x-authorized-tools', 'envoy')
    const text = await metrics.text()
    const name = 'mcp_authz_deprecated_credentials_total'
    expect(text).toMatch(new RegExp(`^# HELP ${name} .*authenticated.*carried`, 'm'))
    expect(text).toContain(`${name}{header="x-authorized-tools",door="guard"} 1\n`)
    expect(text).toContain(`${name}{header="x-authorized-tools",door="envoy"} 2\n`)
  })

  it('count faults and refused data', async () => {
    const metrics = createMetrics({ revision: () => 'r', ready: () => true })
    metrics.fault('mint_failed')
    metrics.refusedData()
    const text = await metrics.text()
    expect(text).toContain('mcp_authz_faults_total{code="mint_failed"} 1\n')
    expect(text).toContain('mcp_authz_data_refused_total 1\n')
  })
})
