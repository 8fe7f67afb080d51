import { expect, it } from 'vitest'
import { createKeptTokens } from '../../src/authorizer/kept-tokens.ts'
import type { Minter, MintRequest } from '../../src/capabilities/mint.ts'

const request: MintRequest = {
  subject: { id: 'alice', grants: {}, roles: [] },
  capabilities: { tools: {}, prompts: {}, resources: {}, templates: {} },
  revision: 'r',
}

/** Mints tokens of so many bytes, and tells how many. */
function minterOf(bytes: number): { readonly minter: Minter; readonly minted: () => number } {
  let count = 0
  return {
    minted: () => count,
    minter: {
      kid: () => 'k',
      bound: true,
      narrows: false,
      async mint() {
        count += 1
        return { ok: true, token: 'x'.repeat(bytes), issuedAt: 0, expiresAt: 100, kid: 'k' }
      },
    },
  }
}

it('keeps no more of all views together than there is room for, and those that were asked for last', async () => {
  const { minter, minted } = minterOf(10_000)
  const kept = createKeptTokens({ maxBytes: 50_000 })
  const views = Array.from({ length: 6 }, () => ({}))
  const ask = async (view: object = {}) => await kept.token(view, minter, { ...request, session: 's' }, 0)
  for (const view of views.slice(0, 4)) await ask(view)
  await ask(views[0])
  expect(minted()).toBe(4)
  await ask(views[4])
  for (const view of [views[0], views[2], views[3], views[4]]) await ask(view)
  expect(minted()).toBe(5)
  await ask(views[1])
  expect(minted()).toBe(6)
})

it('keeps none that there is no room for at all, and gives it out all the same', async () => {
  const { minter, minted } = minterOf(10_000)
  const kept = createKeptTokens({ maxBytes: 5000 })
  const view = {}
  for (const expected of [1, 2]) {
    expect(await kept.token(view, minter, request, 0)).toMatchObject({ ok: true })
    expect(minted()).toBe(expected)
  }
})

it('never gives a token of one view, session or server for another', async () => {
  const { minter, minted } = minterOf(10)
  const kept = createKeptTokens()
  const uses: Partial<MintRequest>[] = [{}, { session: 'null' }, { server: 'null' }, { session: 's', server: 't' }]
  const views = [{}, {}]
  for (const _ of [1, 2]) {
    for (const view of views) for (const use of uses) await kept.token(view, minter, { ...request, ...use }, 0)
  }
  expect(minted()).toBe(views.length * uses.length)
})
