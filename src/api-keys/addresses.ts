import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

type Parsed = ipaddr.IPv4 | ipaddr.IPv6
type Network = readonly [address: Parsed, bits: number]

/** A network, or what is wrong with its text: in a few words, and how to mend it. */
export type NetworkReading =
  | { readonly ok: true; readonly network: Network }
  | { readonly ok: false; readonly message: string; readonly mend: string }

/** Reads an address or a network in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3). */
export function readNetwork(text: string): NetworkReading {
  const [address = '', bits, ...more] = text.split('/')
  const parsed = isIP(address) === 0 || address.includes('%') ? undefined : ipaddr.parse(address)
  if (parsed === undefined || more.length > 0) return unreadable
  const most = parsed.kind() === 'ipv4' ? 32 : 128
  if (bits === undefined) return plain(parsed, most)
  if (!/^(?:0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > most) {
    return {
      ok: false,
      message: `expected a number of bits from 0 to ${most}`,
      mend: `write it like ${address}/${most}`,
    }
  }
  const network = maskedTo(parsed, Number(bits))
  if (network.toString() !== parsed.toString()) {
    const mend = `write ${network.toString()}/${bits} for the network, or ${address} for the one address`
    return { ok: false, message: 'the address has bits beyond those of the network', mend }
  }
  return plain(parsed, Number(bits))
}

/** Whether one of the networks holds the address; never for what is no address. */
export function holds(networks: readonly Network[], address: string): boolean {
  const parsed = readAddress(address)
  return parsed !== undefined && networks.some(([network, bits]) => isIn(parsed, network, bits))
}

const unreadable: NetworkReading = {
  ok: false,
  message: 'expected an IP address or a network in CIDR notation',
  mend: 'write it like 192.0.2.7, 192.0.2.0/24, 2001:db8::7 or 2001:db8::/32',
}

/** An IPv4 address that came over an IPv6 socket is that IPv4 address (RFC 4291 section 2.5.5.2); a zone id is of no matter. */
function readAddress(text: string): Parsed | undefined {
  const [address = ''] = text.split('%')
  return isIP(address) === 0 ? undefined : ipaddr.process(address)
}

/** Networks of mapped addresses are networks of IPv4 addresses, as those are compared as such. */
function plain(address: Parsed, bits: number): NetworkReading {
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= mappedBits
  return { ok: true, network: isMapped ? [address.toIPv4Address(), bits - mappedBits] : [address, bits] }
}

const mappedBits = 96

function isIn(address: Parsed, network: Parsed, bits: number): boolean {
  if (address.kind() === network.kind()) return address.match(network, bits)
  // A network as wide as ::/0 or ::ffff:0:0/90 holds the mapped addresses too.
  return address instanceof ipaddr.IPv4 && bits < mappedBits && address.toIPv4MappedAddress().match(network, bits)
}

function maskedTo(address: Parsed, bits: number): Parsed {
  const bytes = address.toByteArray().map((byte, index) => byte & maskOf(bits - 8 * index))
  return ipaddr.fromByteArray(bytes)
}

function maskOf(bits: number): number {
  if (bits <= 0) return 0
  return bits >= 8 ? 0xff : (0xff << (8 - bits)) & 0xff
}
