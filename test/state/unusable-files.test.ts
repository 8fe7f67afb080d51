import { access, chmod, mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from 'vitest'
import { entry, inSeconds, open, stateFile, until } from './states.ts'

describe('a state file that cannot be used', () => {
  it.each([
    [
      'is no database',
      'x'.repeat(5000),
      /cannot use the state file `.*state\.db`: file is not a database: put back a copy/,
    ],
    [
      'is of a newer version',
      'PRAGMA application_id = 0x6d637061; PRAGMA user_version = 2; CREATE TABLE t (a)',
      /state\.db` is of version 2, this mcp-authz knows 1 alone: run/,
    ],
    [
      'belongs to another program',
      'CREATE TABLE notes (text)',
      /state\.db` is a database of another program: name another file/,
    ],
  ])('is refused where it %s, named or not, and left as it is', async (_, content, message) => {
    const file = await stateFile()
    await mkdir(dirname(file))
    if (content.startsWith('x')) await writeFile(file, content)
    else {
      const database = new DatabaseSync(file)
      database.exec(content)
      database.close()
    }
    const before = await stat(file)
    for (const named of [true, false]) await expect(open({ file, named })).rejects.toThrow(message)
    expect(await stat(file)).toMatchObject({ size: before.size, mtimeMs: before.mtimeMs })
  })
})

describe('a state file that goes bad', () => {
  it('leaves a row out that is no entry, and says so', async () => {
    const file = await stateFile()
    const before = await open({ file })
    await before.ledger.add(entry('a'))
    const database = new DatabaseSync(file)
    const insert = database.prepare('INSERT INTO ledger (id, type, until, body) VALUES (?, ?, ?, ?)')
    for (const body of ['{', '[]', 'null', `{"text":"${'x'.repeat(17_000)}"}`])
      insert.run(body.slice(0, 9), 'revocation', null, body)
    insert.run('kind', 'grant', null, '{}')
    insert.run('b', 'api-key', null, '{}')
    database.close()
    const state = await open({ file })
    expect(state.told).toEqual(['a', 'b'])
    expect(state.faults).toHaveLength(5)
    expect(state.faults[0]).toMatch(/^row 2 of the state file `.*state\.db` is left out: its body is no JSON object$/)
    await until(() => before.told.includes('b'), 'who has it open is told too')
    expect(before.faults).toHaveLength(5)
    expect(before.ledger.uncertainForMs()).toBe(0)
  })

  it('is named where everybody may write it', async () => {
    const file = await stateFile()
    expect((await open({ file })).warnings).toEqual([])
    await chmod(file, 0o666)
    expect((await open({ file })).warnings).toEqual([
      expect.stringMatching(/^everybody on this host can write .*chmod 600/),
    ])
  })

  it('makes the ledger uncertain where it is removed or replaced while it is open', async () => {
    const file = await stateFile()
    const state = await open({ file })
    await rename(file, `${file}.old`)
    await until(() => state.ledger.uncertainForMs() > 300, 'it is uncertain')
    await expect(state.ledger.add(entry('a'))).rejects.toThrow('removed or replaced')
    expect(state.faults).toEqual([
      expect.stringMatching(/cannot be read: it was removed or replaced while it was in use: start again$/),
    ])
    await rename(`${file}.old`, file)
    await until(() => state.ledger.uncertainForMs() === 0, 'it is certain again')
  })
})

describe('a state file that cannot be made', () => {
  it('is refused where it was named', async () => {
    const folder = dirname(await stateFile())
    await writeFile(folder, 'in the way')
    const message = /^cannot make the state file `.*state\.db`: E.*: let this user write there, or name another file/
    await expect(open({ file: `${folder}/state.db`, named: true })).rejects.toThrow(message)
  })

  it('is done without where it is the default, with a warning', async () => {
    const folder = dirname(await stateFile())
    await writeFile(folder, 'in the way')
    const state = await open({ file: `${folder}/state.db`, named: false })
    expect(state.warnings).toEqual([
      expect.stringMatching(/^cannot make .*; until then revocations and counts end with/),
    ])
    expect(await state.ledger.add(entry('a'))).toEqual({ shared: true })
    expect(state.told).toEqual(['a'])
    expect(await state.tally.once('u', inSeconds(60))).toBe(true)
    expect(await state.tally.once('u', inSeconds(60))).toBe(false)
    expect(state.ledger.uncertainForMs()).toBe(0)
  })
})

describe('a state file that must not be made', () => {
  it('is an empty state where it is not there, and used where it is', async () => {
    const file = await stateFile()
    const none = await open({ file, create: false })
    expect(none.told).toEqual([])
    await expect(access(dirname(file))).rejects.toThrow('ENOENT')
    await (await open({ file })).ledger.add(entry('a'))
    expect((await open({ file, create: false })).told).toEqual(['a'])
  })
})
