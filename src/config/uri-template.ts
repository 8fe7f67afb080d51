/**
 * Whether a text is a URI template of RFC 6570, level 1 to 3: no prefix (`:3`) or explode (`*`) modifier, no operator
 * that is reserved. An apostrophe is let through (erratum 6937).
 */
export function isTemplate(text: string): boolean {
  const token = new RegExp(tokenPattern, 'uy')
  while (token.lastIndex < text.length) {
    if (!token.test(text)) return false
  }
  return true
}

// RFC 6570 section 2.1 and RFC 3987 section 2.2: ucschar and iprivate without the noncharacters.
const supplementary = Array.from({ length: 16 }, (_, index) => index + 1)
  .map((plane) => `\\u{${plane.toString(16)}${plane === 14 ? '1' : '0'}000}-\\u{${plane.toString(16)}fffd}`)
  .join('')
const literals = `[!#$&-;=?-\\[\\]_a-z~\\u00a0-\\ud7ff\\ue000-\\ufdcf\\ufdf0-\\uffef${supplementary}]+`
const triplet = '%[0-9A-Fa-f]{2}'
const character = `(?:[A-Za-z0-9_]|${triplet})`
const variable = `${character}(?:\\.?${character})*`
const expression = `\\{[+#./;?&]?${variable}(?:,${variable})*\\}`
const tokenPattern = `${literals}|${triplet}|${expression}`
