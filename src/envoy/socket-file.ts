import { chmod, lstat, unlink } from 'node:fs/promises'
import { connect } from 'node:net'

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
