import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { ask, useMesh, wholeList } from './mesh-place.ts'
import { real } from './place.ts'

const mesh = useMesh({ documented: () => undefined })
const secret = /wipe|alerts/

real('the service is killed', () => {
  test('lists are denied, the one on its way too: none is shown whole', { timeout: 30_000 }, async () => {
    let finish = (): void => undefined
    const event = `data: ${JSON.stringify(wholeList)}\n\n`
    mesh().server.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event)
      finish = () => response.end(event)
    })
    const stream = (await ask(mesh(), {})).body?.pipeThrough(new TextDecoderStream()).getReader()
    const first = String((await stream?.read())?.value)
    expect(first).toContain('forecast')
    await mesh().service.kill('SIGKILL')
    finish()
    const rest = await stream?.read().catch(() => ({ done: true, value: '' }))
    expect(`${first}${rest?.value ?? ''}`).not.toMatch(secret)

    mesh().server.answerWith((_, response) => void response.end(JSON.stringify(wholeList)))
    for (let at = 0; at < 5; at += 1) {
      const response = await ask(mesh(), {})
      expect(response.status).toBe(503)
      expect(await response.text()).not.toMatch(/forecast|wipe|alerts/)
      await sleep(50)
    }
  })
})

const other = useMesh({ documented: () => undefined })

real('the service stops in the middle of events', () => {
  test('they break off: what follows is not shown unfiltered', { timeout: 30_000 }, async () => {
    let go = (): void => undefined
    const event = `data: ${JSON.stringify(wholeList)}\n\n`
    other().server.answerWith((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(event)
      go = () => void response.write(event)
    })
    const stream = (await ask(other(), {})).body?.pipeThrough(new TextDecoderStream()).getReader()
    expect(String((await stream?.read())?.value)).toContain('forecast')
    const stopped = other().service.kill('SIGTERM')
    let text = ''
    let open = true
    for (let at = 0; at < 60 && open; at += 1) {
      go()
      const next = await stream?.read().catch(() => ({ done: true, value: undefined }))
      text += next?.value ?? ''
      open = next?.done === false
      await sleep(50)
    }
    expect(open).toBe(false)
    expect(text).not.toMatch(secret)
    expect(await stopped).toBe(0)
  })
})
