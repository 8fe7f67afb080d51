import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import {
  delaysMs,
  entry,
  hasAdded,
  hasCounted,
  hasTold,
  hasUsed,
  inSeconds,
  medianOf,
  open,
  startPeer,
  stateFile,
  until,
} from './states.ts'

const patient = { timeout: 60_000 }

describe('the ledger that several processes share', patient, () => {
  it('carries what one adds to the others', async () => {
    const file = await stateFile()
    const here = await open({ file })
    const there = await startPeer({ file, named: true })
    there.ask({ add: entry('theirs') })
    await until(() => here.told.includes('theirs'), 'this process is told')
    await here.ledger.add(entry('ours'))
    await there.says(hasTold('ours'))
  })

  it('is made once where all of them start at once', async () => {
    const file = await stateFile()
    const peers = await Promise.all(Array.from({ length: 6 }, async () => await startPeer({ file, named: true })))
    for (const [number, peer] of peers.entries()) peer.ask({ add: entry(`by ${number}`) })
    for (const peer of peers) {
      for (const number of peers.keys()) await peer.says(hasTold(`by ${number}`))
    }
  })

  it('tells another process within a tenth of a second', async () => {
    const file = await stateFile()
    const peers = [await startPeer({ file, named: true }), await startPeer({ file, named: true })]
    expect(medianOf(await delaysMs(peers[0], peers[1]))).toBeLessThan(100)
  })

  it('loses nothing that was acknowledged before a kill', async () => {
    const file = await stateFile()
    const peers = [await startPeer({ file, named: true }), await startPeer({ file, named: true })]
    for (const [number, peer] of peers.entries()) {
      peer.ask({ addForEver: `${number}-` })
      await peer.says(hasAdded(`${number}-40`))
    }
    await Promise.all(peers.map(async (peer) => await peer.kill()))
    const acknowledged = peers.flatMap(({ said }) => said.flatMap((each) => ('added' in each ? [each.added] : [])))
    const reopened = await open({ file })
    expect(reopened.told).toEqual(expect.arrayContaining(acknowledged))
    expect(new Set(reopened.told).size).toBe(reopened.told.length)
    await reopened.ledger.add(entry('after'))
  })
})

describe('the tally that several processes share', patient, () => {
  it('counts uses exactly, never beyond the limit', async () => {
    const file = await stateFile()
    const peers = [await startPeer({ file, named: true }), await startPeer({ file, named: true })]
    for (const peer of peers) peer.ask({ count: { key: 'k', limit: 130, until: inSeconds(60), times: 100 } })
    const counted = (await Promise.all(peers.map(async (peer) => await peer.says(hasCounted)))).flatMap(
      (said) => said.counted,
    )
    expect(counted.filter((uses) => uses === false)).toHaveLength(70)
    const uses = counted.filter((count) => count !== false).toSorted((one, other) => one - other)
    expect(uses).toEqual(Array.from({ length: 130 }, (_, index) => index + 1))
    const here = await open({ file })
    expect(await here.tally.counts(['k', 'other'])).toEqual([130, 0])
  })

  it('gives a single use to one of them alone', async () => {
    const file = await stateFile()
    const peers = [await startPeer({ file, named: true }), await startPeer({ file, named: true })]
    const keys = Array.from({ length: 50 }, (_, index) => `jti-${index}`)
    for (const peer of peers) peer.ask({ once: { keys, until: inSeconds(60) } })
    const [one, other] = await Promise.all(peers.map(async (peer) => (await peer.says(hasUsed)).first))
    for (const index of keys.keys()) expect([one?.[index], other?.[index]].filter(Boolean)).toHaveLength(1)
  })

  it('waits for one that writes, but not for ever and not with the event loop', async () => {
    const file = await stateFile()
    const state = await open({ file })
    const holder = new DatabaseSync(file)
    holder.exec('BEGIN IMMEDIATE')
    let turns = 0
    const turning = setInterval(() => {
      turns += 1
    }, 5)
    await expect(state.tally.count('k', 1, inSeconds(60))).rejects.toThrow('locked')
    const adding = state.ledger.add(entry('a'))
    await sleep(100)
    clearInterval(turning)
    expect(turns).toBeGreaterThan(2)
    holder.exec('COMMIT')
    holder.close()
    expect(await adding).toEqual({ shared: true })
    expect(await state.tally.count('k', 1, inSeconds(60))).toBe(1)
  })
})
