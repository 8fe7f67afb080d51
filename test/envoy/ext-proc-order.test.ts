import { randomBytes } from 'node:crypto'
import { status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { createEnvoyDoor } from '../../src/envoy/server.ts'
import { recording, strict } from './authorizers.ts'
import { connect } from './clients.ts'
import {
  bodyOf,
  events,
  json,
  leaving,
  listQuestion,
  metadata,
  openExchange,
  requestOf,
  secret,
  useListDoor,
} from './exchanges.ts'
import { decodeProcessing, encodeProcessing, type ProcessingFields } from './messages.ts'

const { door, client, faults, lastReply } = useListDoor()
// Whatever a test does, no stream stays behind.
afterEach(async () => await expect.poll(() => door().filtering()).toBe(0))

describe('a stream that Envoy does not send', () => {
  const order: readonly (readonly [string, readonly ProcessingFields[]])[] = [
    ['a body first', [bodyOf(secret)]],
    ['a body before the headers of the answer', [requestOf('alice'), bodyOf(secret)]],
    ['two requests', [requestOf('alice'), requestOf('bob')]],
    ['two answers', [requestOf('alice'), json, json]],
    ['a body after the last', [requestOf('alice'), json, bodyOf(secret), bodyOf(secret)]],
    ['trailers in place of the rest', [requestOf('alice'), json, bodyOf(secret, false), { response_trailers: {} }]],
    ['the body of a request', [requestOf('alice'), { request_body: { end_of_stream: true } }]],
    ['trailers of a request', [{ request_trailers: {} }]],
    ['nothing', [{}]],
    ['metadata alone', [metadata(listQuestion)]],
    ['an observer', [{ ...requestOf('alice'), observability_mode: true }]],
  ]
  it.each(order)('ends as failed, not well: %s', async (_, parts) => {
    await expect(lastReply(...parts)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
    expect(faults).toMatchObject([{ code: 'policy_error' }])
  })

  const part = encodeProcessing(requestOf('alice'))
  it.each([
    ['bytes that are no message', Buffer.from([0x12, 0xff])],
    ['two parts in one message', Buffer.concat([part, encodeProcessing(bodyOf(secret))])],
    ['a part twice', Buffer.concat([part, part])],
    ['a message cut short', part.subarray(0, part.length - 3)],
    ['random bytes', randomBytes(2000)],
  ])('ends as failed, not well: %s', async (_, bytes) => {
    await expect(lastReply(bytes)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT })
  })
})

describe('a stream of parts', () => {
  it('never shows a list, whatever bytes come and in whatever order', async () => {
    const anyPart = fc.oneof(
      fc.constantFrom(
        requestOf('mallory'),
        json,
        events,
        bodyOf(secret),
        bodyOf(secret, false),
        bodyOf(`data: ${secret}\n\n`),
      ),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(anyPart, { maxLength: 6 }), async (parts) => {
        const exchange = openExchange(client())
        for (const part of parts) {
          const reply = await exchange.send(part).catch(() => undefined)
          if (reply === undefined) break
          if (reply.response_body !== undefined) expect(leaving(reply)).not.toContain('wipe')
        }
        await exchange.end()
      }),
      { numRuns: 150 },
    )
  })

  it('is read no faster than its answers are, and loses none of them', async () => {
    const exchange = openExchange(client())
    await exchange.send(requestOf('alice'))
    await exchange.send(events)
    const pieces = 40
    const event = (at: number): string => `data: {"method":"${at}","a":"${'a'.repeat(500_000)}"}\n\n`
    exchange.stream.pause()
    for (let at = 0; at < pieces; at += 1) exchange.stream.write(encodeProcessing(bodyOf(event(at), false)))
    await new Promise((resolve) => setTimeout(resolve, 300))
    const replies: string[] = []
    exchange.stream.on('data', (reply: Buffer) => void replies.push(leaving(decodeProcessing(reply))))
    exchange.stream.resume()
    await expect.poll(() => replies.length, { timeout: 10_000 }).toBe(pieces)
    expect(replies.every((reply, at) => reply === event(at))).toBe(true)
    expect(await exchange.end()).toBe(status.OK)
  })

  it('is forgotten where it is given up', async () => {
    const exchanges = Array.from({ length: 50 }, () => openExchange(client()))
    await Promise.all(exchanges.map((exchange) => exchange.send(requestOf('alice'))))
    expect(door().filtering()).toBe(50)
    for (const exchange of exchanges) exchange.stream.cancel()
    await expect.poll(() => door().filtering()).toBe(0)
  })
})

it('events that go on when the server stops end as failed: nothing passes unfiltered', async () => {
  const other = await createEnvoyDoor({ authorizer: recording(), read: strict, address: '127.0.0.1:0' })
  const dialled = connect(other.address)
  const exchange = openExchange(dialled)
  await exchange.send(requestOf('alice'))
  await exchange.send(events)
  const drained = other.drain({ deadlineMs: 5000, noticeMs: 0 })
  expect(await exchange.ended).toBe(status.UNAVAILABLE)
  await drained
  expect(other.filtering()).toBe(0)
  dialled.close()
})

it('a stream in which nothing is said is ended', async () => {
  const options = { authorizer: recording(), read: strict, address: '127.0.0.1:0', silenceMs: 20 }
  const other = await createEnvoyDoor(options)
  const dialled = connect(other.address)
  expect(await openExchange(dialled).ended).toBe(status.DEADLINE_EXCEEDED)
  const spoken = openExchange(dialled)
  await spoken.send(requestOf('alice'))
  await new Promise((resolve) => setTimeout(resolve, 100))
  expect(other.filtering()).toBe(1)
  expect(await spoken.end()).toBe(status.OK)
  dialled.close()
  await other.drain({ deadlineMs: 0 })
})
