import { StringDecoder } from 'node:string_decoder'
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio'
import type { StdioUpstreamConfig } from '../config/config.ts'

/** More than is shown of a line, so that no secret is cut in two before it is looked for. */
const maxLineLetters = 65_536

/**
 * A server in a process of its own, which gets no more of our environment than the SDK deems safe. What it writes to
 * stderr is read whether or not anybody wants it, since a full pipe would stop the process.
 */
export function childTransport(config: StdioUpstreamConfig, onLine: (line: string) => void): StdioClientTransport {
  const { command, args, env, cwd } = config
  const transport = new StdioClientTransport({ command, args: [...args], env: { ...env }, cwd, stderr: 'pipe' })
  const decoder = new StringDecoder('utf8')
  const take = lineTaker(onLine)
  transport.stderr?.on('data', (chunk: Buffer) => take(decoder.write(chunk)))
  return transport
}

/** Takes text as it comes; gives lines, of each its beginning. */
function lineTaker(onLine: (line: string) => void): (text: string) => void {
  let begun = ''
  return (text) => {
    const lines = text.split(/\r\n|\n|\r/)
    for (const [index, part] of lines.entries()) {
      begun = (begun + part).slice(0, maxLineLetters)
      if (index === lines.length - 1) break
      if (begun !== '') onLine(begun)
      begun = ''
    }
  }
}
