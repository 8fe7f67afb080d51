import { describe, expect, it } from 'vitest'
import { isTemplate } from '../../src/config/uri-template.ts'

const accepted = [
  'weather://stations/{id}',
  'weather://stations',
  '{+path}/here',
  '{#fragment}',
  'map?{x,y}',
  '{#x,hello,y}',
  '{+path,x}/here',
  'X{.x,y}',
  '{/var,x}/here',
  '{;x,y,empty}',
  '{?x,y}',
  '?fixed=yes{&x}',
  '{a.b}',
  '{a.b.c_1}',
  '{%41b}',
  'file:///%20/{x}',
  "it's/{x}",
  'https://ü.example/{n}',
  'x://\u{10000}/{a}',
]

const refused = [
  '{a*}',
  '{a:3}',
  '{?list*}',
  '{=a}',
  '{,a}',
  '{!a}',
  '{@a}',
  '{|a}',
  '{}',
  '{+}',
  '{',
  '}',
  'a}b',
  '{a',
  '{a{b}}',
  '{a b}',
  '{a,}',
  '{,}',
  '{a,,b}',
  '{.}',
  '{a..b}',
  '{a.}',
  '{a-b}',
  '{ä}',
  '{%4}',
  'a b',
  'a"b',
  'a<b',
  'a>b',
  'a\\b',
  'a^b',
  'a`b',
  'a|b',
  'a%zz',
  '100%',
  'a\nb',
  'a\u0000b',
  'a\u007fb',
  'a\u0085b',
  'a\ud800b',
  'a\ufdd0b',
  'a\u{1ffff}b',
]

describe('a URI template of level 1 to 3', () => {
  it.each(accepted)('is %j', (text) => {
    expect(isTemplate(text)).toBe(true)
  })

  it.each(refused)('is not %j', (text) => {
    expect(isTemplate(text)).toBe(false)
  })

  it('is decided for a very long text', () => {
    const text = `x://${'a'.repeat(1_000_000)}${'{b}'.repeat(100_000)}`
    expect(isTemplate(text)).toBe(true)
    expect(isTemplate(`${text}{`)).toBe(false)
  })
})
