import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holds, readNetwork } from '../../src/api-keys/addresses.ts'

function isIn(network: string, address: string): boolean {
  const reading = readNetwork(network)
  if (!reading.ok) throw new TypeError(reading.message)
  return holds([reading.network], address)
}

describe('a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7/32', '192.0.2.7'],
    ['192.0.2.0/24', '192.0.2.255'],
    ['0.0.0.0/0', '203.0.113.9'],
    ['2001:db8::7', '2001:DB8:0:0::7'],
    ['2001:db8::/32', '2001:db8:ffff::1'],
    ['::1', '::1'],
    ['fe80::/10', 'fe80::1%eth0'],
  ])('%s holds %s', (network, address) => {
    expect(isIn(network, address)).toBe(true)
  })

  it.each([
    ['192.0.2.7', '192.0.2.8'],
    ['192.0.2.0/25', '192.0.2.128'],
    ['0.0.0.0/0', '2001:db8::1'],
    ['2001:db8::/33', '2001:db8:8000::1'],
    ['::/0', 'not an address'],
    ['0.0.0.0/0', ''],
    ['0.0.0.0/0', '192.0.2.7:443'],
    ['0.0.0.0/0', '192.0.2.007'],
    ['0.0.0.0/0', '0xc0000207'],
    ['0.0.0.0/0', '3221225991'],
    ['0.0.0.0/0', ' 192.0.2.7'],
    ['::/0', '[2001:db8::1]'],
    ['192.0.2.7', '192.0.2.7, 203.0.113.9'],
  ])('%s does not hold %s', (network, address) => {
    expect(isIn(network, address)).toBe(false)
  })

  it.each([
    ['192.0.2.7', '::ffff:192.0.2.7'],
    ['192.0.2.0/24', '::ffff:c000:0209'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.0/120', '::ffff:192.0.2.9'],
    ['::/0', '::ffff:192.0.2.7'],
    ['::ffff:0:0/96', '192.0.2.7'],
  ])('%s holds %s: an IPv4 address is the same one over IPv6', (network, address) => {
    expect(isIn(network, address)).toBe(true)
  })

  it('that is written of IPv4 holds what the same one mapped into IPv6 does', () => {
    const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((parts) => parts.join('.'))
    fc.assert(
      fc.property(octets, octets, fc.nat(32), (text, address, bits) => {
        const reading = readNetwork(`${text}/${bits}`)
        fc.pre(reading.ok)
        const mapped = isIn(`::ffff:${text}/${bits + 96}`, address)
        expect(isIn(`${text}/${bits}`, address)).toBe(mapped)
        expect(isIn(`${text}/${bits}`, `::ffff:${address}`)).toBe(mapped)
      }),
    )
  })
})

describe('a network that is not written as one', () => {
  it.each([
    ['192.0.2.7/24', 'write 192.0.2.0/24 for the network, or 192.0.2.7 for the one address'],
    ['2001:db8::1/32', 'write 2001:db8::/32 for the network, or 2001:db8::1 for the one address'],
    ['192.0.2.0/33', 'write it like 192.0.2.0/32'],
    ['192.0.2.0/-1', 'write it like 192.0.2.0/32'],
    ['192.0.2.0/024', 'write it like 192.0.2.0/32'],
    ['192.0.2.0/', 'write it like 192.0.2.0/32'],
    ['2001:db8::/129', 'write it like 2001:db8::/128'],
  ])('is refused with the mend: %s', (text, mend) => {
    expect(readNetwork(text)).toMatchObject({ ok: false, mend })
  })

  it.each(['', '/24', 'localhost', '192.0.2', '192.0.2.0/24/8', '010.0.0.1', '192.0.2.0-9', 'fe80::1%eth0', '*'])(
    'is refused: `%s`',
    (text) => {
      expect(readNetwork(text)).toMatchObject({ ok: false, message: expect.stringContaining('CIDR') })
    },
  )
})
