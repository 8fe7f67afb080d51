import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlive, program, until } from '../broker/place.ts'
import { config, project, runIn, start } from './terminal.ts'

/** Each mostly waits for a process, so they run side by side. */
const patient = { timeout: 30_000, concurrent: true }

const server = join(import.meta.dirname, '../broker/stdio-server.ts')
const sayPid = `data:text/javascript,process.stderr.write('pid ' + process.pid + String.fromCharCode(10))`
const { command, args } = program(['--import', sayPid, server, 'v1'])
const upstreams = { local: { command, args } }
const servers = 'servers:\n  local: {prefix: local_, tools: [count, pid]}\nroles: {all: {"*": ["tool:*"]}}\n'

async function brokerIn(more: object = {}) {
  const broker = JSON.stringify({ listen: '127.0.0.1:0', upstreams, ...more })
  return await project({ 'mcp-authz.yaml': `${config}broker: ${broker}\n`, 'catalogue.yaml': servers })
}

describe('broker', patient, () => {
  it('says once that it is ready, answers at both addresses, and leaves no process behind', async () => {
    const { child, ready, ended, out, err, says } = start(await brokerIn(), ['broker'])
    const [, mcp = '', http = ''] =
      /^ready mcp=(http:\/\/127\.0\.0\.1:\d+\/mcp) http=(127\.0\.0\.1:\d+)$/.exec(await ready()) ?? []
    expect((await fetch(mcp, { method: 'POST' })).status).toBe(401)
    await says(/local: pid \d+/)
    const status = async () =>
      (await (await fetch(`http://${http}/status`)).json()) as { servers: { reason: string }[] }
    await until(async () => expect((await status()).servers).toMatchObject([{ id: 'local', reason: 'Ready' }]))
    const children = [...err().matchAll(/local: pid (\d+)/g)].map(([, pid]) => Number(pid))
    expect(children.some(isAlive)).toBe(true)
    child.kill('SIGTERM')
    expect(await ended()).toBe(0)
    expect(out()).toBe(`ready mcp=${mcp} http=${http}\n`)
    await until(() => expect(children.filter(isAlive)).toEqual([]))
  })

  it('listens where the options say, over the configuration', async () => {
    const directory = await brokerIn({ listen: '127.0.0.1:1' })
    const { child, ready, ended } = start(directory, ['broker', '--listen', '127.0.0.1:0', '--http', 'unix:http.sock'])
    expect(await ready()).toMatch(
      new RegExp(`^ready mcp=http://127\\.0\\.0\\.1:\\d+/mcp http=unix:${directory}/http\\.sock$`),
    )
    child.kill('SIGINT')
    expect(await ended()).toBe(0)
  })

  it.each([
    ['without a section', [], 'mcp-authz.yaml: broker: expected this section'],
    ['on a unix socket', ['--listen', 'unix:mcp.sock'], '--listen: expected HOST:PORT'],
    ['on what is no address', ['--listen', 'nowhere'], '--listen: '],
  ])('does not start %s', async (name, options, error) => {
    const directory = name === 'without a section' ? await project() : await brokerIn()
    const ran = await runIn(directory, ['broker', ...options])
    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(error)
  })
})
