import { describe, expect, it } from 'vitest'
import { wordingOf } from '../../src/broker/wording.ts'
import { httpAt, program } from './place.ts'

describe('what is shown of a text', () => {
  it.each([
    ['Bearer aaaabbbb', 'x Bearer aaaabbbb y aaaabbbb z', 'x [redacted] y [redacted] z'],
    ['aa"bb', 'said "aa\\"bb" and aa%22bb', 'said "[redacted]" and [redacted]'],
    [`Basic ${btoa('user:pass word')}`, 'pass word of user, user:pass word', '[redacted] of user, [redacted]'],
    ['abc', 'abc is too short to be a secret', 'abc is too short to be a secret'],
  ])('has no header in it: %s', (value, text, shown) => {
    expect(wordingOf(httpAt('https://a/mcp', { headers: { 'x-key': value } })).redact(text)).toBe(shown)
  })

  it('has no query of the address in it', () => {
    expect(wordingOf(httpAt('https://a/mcp?k=aaaa%20bbbb')).redact('aaaa bbbb, aaaa%20bbbb')).toBe(
      '[redacted], [redacted]',
    )
  })

  it('has no variable in it, nor a line of one', () => {
    const { redact } = wordingOf({ ...program([]), env: { A: 'first line\nsecond line', B: 'first line and more' } })
    expect(redact('first line\nsecond line|second line|first line and more')).toBe('[redacted]|[redacted]|[redacted]')
  })

  it('is one line of 200 printable letters', () => {
    const { line } = wordingOf(program([]))
    expect(line(' a\r\n\tb\u0000\u001b[31mc\u202e\u2028d ')).toBe('a b [31mc d')
    expect(line('🌍'.repeat(201))).toBe(`${'🌍'.repeat(199)}…`)
    expect(line('a'.repeat(200))).toBe('a'.repeat(200))
  })

  it('is what an error says, and what caused it', () => {
    const { fault } = wordingOf(program([]))
    const cause = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' })
    expect(fault(new TypeError('fetch failed', { cause }))).toBe('fetch failed (ECONNREFUSED)')
    expect(fault(Object.assign(new Error('a'), { status: 500, cause: new Error('b') }))).toBe('HTTP 500: a (b)')
    expect(fault('text')).toBe('text')
  })
})
