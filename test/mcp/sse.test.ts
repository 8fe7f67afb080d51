import { EventSourceParserStream } from 'eventsource-parser/stream'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { filterSse, type SseOptions } from '../../src/mcp/list.ts'

type Transform = (data: string) => Promise<string>

const encoder = new TextEncoder()
const shout: Transform = async (data) => data.toUpperCase()
const same: Transform = async (data) => data

function streamOf(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(await bytesOf(stream))
}

const filtered = (text: string, transform: Transform = shout, options: SseOptions = {}): Promise<string> =>
  textOf(filterSse(streamOf([encoder.encode(text)]), transform, options))

/** Cuts bytes at places, which may be the same or out of range. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return sorted.slice(1).map((end, at) => bytes.slice(sorted[at], end))
}

const line = fc.constantFrom(
  'data: é1',
  'data:b',
  'data',
  'data: ',
  ': c',
  'id: 1',
  'event: message',
  'x',
  '',
  '',
  '\ufeffdata: y',
)
const lineEnd = fc.constantFrom('\n', '\r', '\r\n')
const sseText = fc
  .tuple(fc.constantFrom('', '\ufeff'), fc.array(fc.tuple(line, lineEnd), { maxLength: 12 }), line)
  .map(([mark, lines, last]) => mark + lines.map(([content, end]) => content + end).join('') + last)

it('rewrites the data of each event and keeps everything else', async () => {
  const text = ': hi\n\nid: a\nevent: message\ndata: {"a":1}\nretry: 5\n\ndata:b\n\n'
  expect(await filtered(text)).toBe(': hi\n\nid: a\nevent: message\ndata: {"A":1}\nretry: 5\n\ndata: B\n\n')
})

it.each(['\n', '\r', '\r\n'])('keeps the line end %j', async (end) => {
  expect(await filtered(['id: 1', 'data: a', '', 'data: b', '', ''].join(end))).toBe(
    ['id: 1', 'data: A', '', 'data: B', '', ''].join(end),
  )
})

it('joins the lines of the data, and writes as many as the answer has', async () => {
  const asked: string[] = []
  const answer: Transform = async (data) => {
    asked.push(data)
    return 'x\ny\r\nz'
  }
  expect(await filtered('data: a\r\nid: 1\r\ndata:  b\r\ndata\r\n\r\n', answer)).toBe(
    'data: x\r\ndata: y\r\ndata: z\r\nid: 1\r\n\r\n',
  )
  expect(asked).toEqual(['a\n b\n'])
})

it.each([
  ['no data', 'id: 1\n\n'],
  ['empty data', 'id: 1\ndata:\n\n'],
  ['fields of other names', 'Data: a\ndata : b\n data: c\ndatab: d\n\n'],
  ['comments that look like data', ':data: a\n\n'],
  ['blank lines', '\n\r\n\r\r\n\n'],
  ['a mark inside', '\n\ufeffdata: a\n\n'],
  ['nothing', ''],
])('asks for nothing where there is %s', async (_, text) => {
  expect(await filtered(text, async () => Promise.reject(new Error('asked')))).toBe(text)
})

it('removes byte-order marks at the start, and what was one before it was encoded twice', async () => {
  expect(await filtered('\ufeffdata: a\n\n\ufeffdata: b\n\n')).toBe('data: A\n\n\ufeffdata: b\n\n')
  expect(await filtered('\ufeff\ndata: a\n\n')).toBe('\ndata: A\n\n')
  expect(await filtered('\ufeffdata: a')).toBe('data: A')
  expect(await filtered('ï»¿data: a\n\nï»¿data: b\n\n')).toBe('data: A\n\nï»¿data: b\n\n')
  expect(await filtered('\ufeffï»¿ï»¿\ufeff\ufeffdata: a\n\n')).toBe('data: A\n\n')
  expect(await filtered('\ufeffï»')).toBe('ï»')
})

it('transforms every data that the parser of the SDKs finds, wherever chunks end', async () => {
  const start = fc.array(fc.constantFrom('\ufeff', 'ï»¿', 'ï»', '¿', 'ï', ' '), { maxLength: 4 })
  const text = fc.tuple(start, sseText).map(([marks, rest]) => `${marks.join('')}${rest}\n\n`)
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(200), { maxLength: 20 }), async (sent, places) => {
      const found: string[] = []
      const marked = filterSse(streamOf(cut(encoder.encode(sent), places)), async (data) => `seen ${data}`)
      const events = marked.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
      for await (const { data } of events) found.push(data)
      expect(found.filter((data) => data !== '' && !data.startsWith('seen '))).toEqual([])
    }),
    { examples: [['ï»¿data: a\n\n', []]] },
  )
})

it('transforms an event that the stream does not finish', async () => {
  expect(await filtered('data: a\n\ndata: b')).toBe('data: A\n\ndata: B')
  expect(await filtered('data: b\r')).toBe('data: B\r')
  expect(await filtered('data: b', async () => 'x\ny')).toBe('data: x\ndata: y')
})

it('keeps every byte where the data stays the same', async () => {
  await fc.assert(
    fc.asyncProperty(sseText, async (text) => {
      expect(await filtered(text, same)).toBe(text.replace(/^\ufeff+/, ''))
    }),
  )
  const invalid = Uint8Array.of(...encoder.encode('data: '), 0xff, 0x0a, 0x0a)
  expect(await bytesOf(filterSse(streamOf([invalid]), same))).toEqual(Buffer.from(invalid))
})

it('does not depend on how the bytes are cut', async () => {
  await fc.assert(
    fc.asyncProperty(sseText, fc.array(fc.nat(200), { maxLength: 20 }), async (text, places) => {
      const whole = await filtered(text)
      expect(await textOf(filterSse(streamOf(cut(encoder.encode(text), places)), shout))).toBe(whole)
    }),
  )
})

it.each(['data: a\n\n', 'data: a\r\r', 'data: a\r\n\r\n', ': c\r\n: d\r\n'])(
  'lets %j go before more comes',
  async (text) => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const reader = filterSse(readable, shout).getReader()
    const writer = writable.getWriter()
    const writing = writer.write(encoder.encode(text))
    let arrived = ''
    while (arrived.length < text.length) arrived += new TextDecoder().decode((await reader.read()).value)
    expect(arrived).toBe(text.replace(' a', ' A'))
    await writing
    await writer.close()
    expect((await reader.read()).done).toBe(true)
  },
)

it('ends with an error where an event is too long, however it is cut', async () => {
  const options = { maxEventBytes: 12 }
  expect(await filtered('data: abcd\n\ndata: abcd\n\n', shout, options)).toBe('data: ABCD\n\ndata: ABCD\n\n')
  await expect(filtered('data: abcde\n\n', shout, options)).rejects.toThrow('over 12 bytes')
  const drops = cut(
    encoder.encode('data: abcdefgh'),
    Array.from({ length: 14 }, (_, at) => at),
  )
  await expect(textOf(filterSse(streamOf(drops), shout, options))).rejects.toThrow('over 12 bytes')
})

it('holds events of up to 8 MiB unless told otherwise', async () => {
  const text = `data: ${'a'.repeat(8 * 1024 * 1024 - 8)}\n\n`
  expect((await filtered(text, same)).length).toBe(text.length)
  await expect(filtered(`data: a${text.slice(6)}`, same)).rejects.toThrow('over 8388608 bytes')
})

it('ends with an error where the data cannot be transformed', async () => {
  const refuse: Transform = async () => Promise.reject(new Error('no JSON'))
  await expect(filtered('data: a\n\n', refuse)).rejects.toThrow('no JSON')
})

it('tells the source when the reader goes away', async () => {
  const cancelled = Promise.withResolvers<unknown>()
  const source = new ReadableStream<Uint8Array>({ cancel: cancelled.resolve })
  await filterSse(source, same).cancel('gone')
  expect(await cancelled.promise).toBe('gone')
})
