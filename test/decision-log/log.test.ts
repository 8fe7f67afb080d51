import { expect, it } from 'vitest'
import { createDecisionLog } from '../../src/decision-log/log.ts'

it('cuts what a client wrote, so that nobody can fill a disk with names', () => {
  const lines: string[] = []
  const log = createDecisionLog({ level: 'info', destination: { write: (line) => void lines.push(line) } })
  const name = 'x'.repeat(1_000_000)
  const reasons = [{ code: 'role_missing', message: 'no', required: `tool:${name} on s` }] as const
  const resource = { type: 'tool', server: name, name } as const
  log.decision({ id: '1', allow: false, reasons: [...reasons], revision: 'r', subject: name, action: name, resource })
  expect(lines).toHaveLength(1)
  expect(lines[0]?.length).toBeLessThan(5000)
  expect(JSON.parse(lines[0] ?? '').decision).toMatchObject({
    id: '1',
    allow: false,
    resource: { type: 'tool', name: `${'x'.repeat(512)}... (1000000 characters)` },
  })
})
