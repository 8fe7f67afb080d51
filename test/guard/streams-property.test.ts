import { setImmediate as settled } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { createAudience } from '../../src/guard/audience.ts'
import type { Seen, Watcher } from '../../src/guard/lookout.ts'
import { watchedStream } from '../../src/guard/watched-stream.ts'
import type { Capabilities } from '../../src/policy/decision.gen.ts'
import { changed } from './stream-scene.ts'

const encoder = new TextEncoder()

const line = fc.constantFrom(
  'data: {"é":1}',
  'data:b',
  'data',
  ': c',
  'id: 1',
  'id',
  'event: message',
  'retry: 5',
  'x',
  '',
  '',
  '\ufeffdata: y',
)
const lineEnd = fc.constantFrom('\n', '\r', '\r\n')
const serverText = fc
  .tuple(fc.constantFrom('', '\ufeff'), fc.array(fc.tuple(line, lineEnd), { maxLength: 14 }), line)
  .map(([mark, lines, last]) => mark + lines.map(([content, end]) => content + end).join('') + last)

/** What happens next: bytes of the server, a list that is another, or the client reads. */
interface Step {
  readonly does: 'send' | 'tell' | 'read'
  readonly bytes: number
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({ does: fc.constantFrom('send', 'send', 'tell', 'read'), bytes: fc.integer({ min: 0, max: 9 }) }),
  { maxLength: 40 },
)

const notice = JSON.stringify(changed('tools'))

interface Parsed {
  readonly type: string
  readonly data: string
  readonly lastId: string
}

/** Events as clients see them (WHATWG HTML, section 9.2.6), each with the id that would be resumed from. */
function parsed(bytes: Uint8Array): readonly Parsed[] {
  const events: Parsed[] = []
  let fields = new Map<string, string>()
  let lastId = ''
  // What no line end finishes is no line.
  for (const content of new TextDecoder()
    .decode(bytes)
    .split(/\r\n|\r|\n/u)
    .slice(0, -1)) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/u.exec(content) ?? []
    const data = fields.get('data')
    if (field === 'id') lastId = value
    else if (content !== '') fields.set(field, field === 'data' && data !== undefined ? `${data}\n${value}` : value)
    if (content !== '') continue
    if (data !== undefined) events.push({ type: fields.get('event') ?? '', data, lastId })
    fields = new Map()
  }
  return events
}

function serverOf() {
  const controllers: ReadableStreamDefaultController<Uint8Array>[] = []
  const body = new ReadableStream<Uint8Array>({ start: (controller) => void controllers.push(controller) })
  return {
    body,
    send: (bytes: Uint8Array) => controllers[0]?.enqueue(bytes),
    close: () => controllers[0]?.close(),
  }
}

const capabilities = (tools: readonly string[]): Capabilities => ({
  tools: { w: [...tools] },
  prompts: {},
  resources: {},
  templates: {},
})

/** A stream that is told by hand that a list is another. */
function streamOf(body: ReadableStream<Uint8Array>) {
  let watcher: Watcher | undefined
  let turn = 0
  const who = { credential: { kind: 'anonymous' }, virtualServers: [], address: undefined } as const
  const stream = watchedStream(body, {
    lookout: {
      look: async () => undefined,
      watch(given) {
        watcher = given
        return () => undefined
      },
      close: () => undefined,
    },
    everyMs: 1000,
    who,
    before: capabilities(['0']),
    stands: async () => await settled(true),
    audience: createAudience(['tools']),
    last: undefined,
    signal: new AbortController().signal,
  })
  const tell = async (): Promise<void> => {
    turn += 1
    await watcher?.saw({ ok: true, capabilities: capabilities([`${turn}`]) } as Seen, who)
  }
  return { stream, tell }
}

/** A server's bytes, and everything that left while the steps were done. */
async function through(text: string, doing: readonly Step[], toTheLast: boolean): Promise<Uint8Array> {
  const server = serverOf()
  const { stream, tell } = streamOf(server.body)
  const reader = stream.getReader()
  const reads: Promise<{ readonly value?: Uint8Array | undefined }>[] = []
  let rest = encoder.encode(text)
  for (const { does, bytes } of doing) {
    if (does === 'tell') await tell()
    if (does === 'read') reads.push(reader.read())
    if (does === 'send') server.send(rest.slice(0, bytes))
    if (does === 'send') rest = rest.slice(bytes)
    await settled()
  }
  server.send(rest)
  server.close()
  const chunks = (await Promise.all(reads)).map(({ value }) => value ?? new Uint8Array())
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    chunks.push(read.value)
    if (toTheLast && !Buffer.from(read.value).includes(notice)) await tell()
  }
  return Buffer.concat(chunks)
}

const tellsIn = (doing: readonly Step[]): number => doing.filter(({ does }) => does === 'tell').length

it('never changes what a server says, wherever its bytes are cut and whenever something is told', async () => {
  await fc.assert(
    fc.asyncProperty(serverText, steps, fc.boolean(), async (text, doing, toTheLast) => {
      const events = parsed(await through(text, doing, toTheLast))
      const isOwn = ({ data }: Parsed): boolean => data === notice
      // With ids: what a client would resume from is the same, too.
      // Marks at the start, however many, are the guard's to remove.
      const whole = parsed(encoder.encode(text.replace(/^\ufeff+/u, '')))
      expect(events.filter((event) => !isOwn(event))).toEqual(whole)
      if (!toTheLast) expect(events.filter(isOwn).length).toBeLessThanOrEqual(tellsIn(doing))
    }),
    { numRuns: 400 },
  )
}, 60_000)

it('tells at once where its client waits, in the framing of the server', async () => {
  const server = serverOf()
  const { stream, tell } = streamOf(server.body)
  const reader = stream.getReader()
  const next = async () => new TextDecoder().decode((await reader.read()).value)
  const first = next()
  await settled()
  await tell()
  expect(await first).toBe(`event: message\ndata: ${notice}\n\n`)
  server.send(encoder.encode('id: 7\r\ndata: {}\r\n\r\n'))
  expect(await next()).toBe('id: 7\r\ndata: {}\r\n\r')
  expect(await next()).toBe('\n')
  const second = next()
  await settled()
  await tell()
  expect(await second).toBe(`data: ${notice}\r\n\r\n`)
})
