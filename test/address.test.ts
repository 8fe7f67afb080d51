import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from '../src/address.ts'

describe('an address to listen on', () => {
  it.each([
    ['127.0.0.1:9191', { kind: 'tcp', host: '127.0.0.1', port: 9191 }],
    ['0.0.0.0:0', { kind: 'tcp', host: '0.0.0.0', port: 0 }],
    ['localhost:80', { kind: 'tcp', host: 'localhost', port: 80 }],
    [
      'gateway.mcp-system.svc.cluster.local.:65535',
      { kind: 'tcp', host: 'gateway.mcp-system.svc.cluster.local.', port: 65535 },
    ],
    ['[::1]:9191', { kind: 'tcp', host: '::1', port: 9191 }],
    ['[::]:1', { kind: 'tcp', host: '::', port: 1 }],
    ['unix:/run/mcp.sock', { kind: 'unix', path: '/run/mcp.sock' }],
    ['unix:mcp.sock', { kind: 'unix', path: 'mcp.sock' }],
  ])('reads %s and writes it back', (text, address) => {
    const reading = parseAddress(text)
    expect(reading).toEqual({ ok: true, address })
    expect(reading.ok && formatAddress(reading.address)).toBe(text)
  })

  it.each([
    '',
    '9191',
    ':9191',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:x',
    '127.0.0.1:-1',
    '127.0.0.1:65536',
    '127.0.0.1:123456',
    '127.0.0.1:9191 ',
    '127.0.0:9191',
    '256.0.0.1:9191',
    '::1:9191',
    '[::1]',
    '[::g]:1',
    '[127.0.0.1]:1',
    'http://127.0.0.1:9191',
    '-a:1',
    'a b:1',
    'a..b:1',
    'unix:',
    'unix:a\0b',
  ])('refuses %j with what was expected', (text) => {
    const reading = parseAddress(text)
    expect(reading).toMatchObject({ ok: false, detail: expect.stringMatching(/^expected /) })
  })
})
