// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the syntax under test.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { expand } from '../../src/config/expand.ts'
import { locate, plainOf } from '../../src/config/located.ts'

const env = { HOST: 'example.com', EMPTY: '', NESTED: '${HOST}', DOLLARS: '$&$1$$' }

function expanded(value: unknown): unknown {
  const { root, findings } = expand(locate(value), env)
  expect(findings).toEqual([])
  return plainOf(root)
}

function findingsOf(value: unknown) {
  return expand(locate(value), env).findings
}

const results = [
  ['https://${HOST}/x', 'https://example.com/x'],
  ['${HOST}${HOST}', 'example.comexample.com'],
  ['${ABSENT:-fallback}', 'fallback'],
  ['${ABSENT:-}', ''],
  ['${EMPTY:-fallback}', 'fallback'],
  ['a${EMPTY}b', 'ab'],
  ['${HOST:-fallback}', 'example.com'],
  ['${ABSENT:-https://a:1/$x}', 'https://a:1/$x'],
  ['$${HOST}', '${HOST}'],
  ['$$${HOST}', '$${HOST}'],
  ['$HOST and $ and {HOST}', '$HOST and $ and {HOST}'],
  ['${NESTED}', '${HOST}'],
  ['${DOLLARS}', '$&$1$$'],
]

describe('environment variables in values', () => {
  it.each(results)('turn %s into %s', (text, result) => {
    expect(expanded(text)).toBe(result)
  })

  it('are expanded at every depth, in values and never in keys', () => {
    const value = { '${HOST}': [{ a: '${HOST}' }, 7, true, null] }
    expect(expanded(value)).toEqual({ '${HOST}': [{ a: 'example.com' }, 7, true, null] })
  })

  it('are named when they are not set, with the way to them and the mend', () => {
    expect(findingsOf({ a: ['x${ABSENT}y'] })).toEqual([
      {
        path: ['a', 0],
        message: 'the environment variable `ABSENT` is not set',
        mend: 'set it, or give a default: `${ABSENT:-default}`',
      },
    ])
  })

  it('are only those of the environment, not what every object has', () => {
    expect(findingsOf('${constructor}${__proto__}${toString}')).toHaveLength(3)
  })

  it.each(['${', '${HOST', '${}', '${1A}', '${A B}', '${A-b}', '${A:b}', '${A:-${HOST}}', '${-}'])(
    'are refused when written as %s',
    (text) => {
      const [finding] = findingsOf({ key: text })
      expect(finding).toMatchObject({ path: ['key'], message: 'expected `${NAME}` or `${NAME:-default}`' })
      expect(finding?.mend).toContain('$${')
    },
  )
})

describe('text', () => {
  it('without `${` stays as it is', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => !text.includes('${')),
        (text) => {
          expect(expanded({ text })).toEqual({ text })
        },
      ),
    )
  })

  it('can be escaped in any text', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('${', '}', 'HOST', '$', ':-', ' ')), (parts) => {
        const text = parts.join('')
        expect(expanded(text.replaceAll('${', () => '$${'))).toBe(text)
      }),
    )
  })
})
