import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

/** Where the door listens. */
export type ListenAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }

/**
 * Reads `HOST:PORT`, `[::1]:PORT` or `unix:PATH`.
 * @throws TypeError when it is none of them
 */
export function parseAddress(address: string): ListenAddress {
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length).replace(/^\/\/(?=\/)/, '')
    if (path !== '') return { kind: 'unix', path }
  }
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.%]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(address) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host !== undefined && port <= 65535) return { kind: 'tcp', host, port }
  throw new TypeError(`grpc address \`${address}\` must be \`HOST:PORT\`, \`[IPV6]:PORT\` or \`unix:PATH\``)
}

/** The way it is written in configuration, with the port that was bound. */
export function formatAddress(address: ListenAddress, boundPort: number): string {
  if (address.kind === 'unix') return `unix:${address.path}`
  return `${address.host.includes(':') ? `[${address.host}]` : address.host}:${boundPort}`
}

/**
 * Removes a socket file that a server left behind when it died.
 * @throws Error when somebody listens on it, or when the path holds anything but a socket
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw new Error(`grpc address \`unix:${path}\` is a file that is no socket; give another path`)
  if (await isListening(path)) throw new Error(`grpc address \`unix:${path}\` is in use; stop its server first`)
  await unlink(path)
}

/** Lets the group in as well: an Envoy that runs as another user shares a group with this server. */
export async function openToGroup(path: string): Promise<void> {
  await chmod(path, 0o660)
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'))
  })
}
