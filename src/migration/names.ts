import type { Edit, Finding } from './edit.ts'

const renames: readonly { readonly old: RegExp; readonly name: string }[] = [
  { old: /(?<![\w-])(--?)enforce-tool-filtering(?![\w-])/g, name: '$1enforce-capability-filtering' },
  { old: /(?<![\w-])(--?)session-signing-key(?![\w-])/g, name: '$1gateway-signing-key' },
  { old: /(?<!\w)JWT_SESSION_SIGNING_KEY(?!\w)/g, name: 'GATEWAY_SIGNING_KEY' },
]
const header = /(?<![\w-])x-authorized-tools(?![\w-])/gi

/** A flag or variable that v0.7.0 has no more. */
export const routerKey = /(?<![\w-])(?:--?mcp-router-key|MCP_ROUTER_API_KEY)(?![\w-])/

/** Quotes as they stand in YAML: doubled in a single-quoted scalar, escaped in a double-quoted one. */
const toolCheck = /request\.headers\[(''|'|\\"|")x-mcp-toolname\1\](?=\s+in\s)/g

/** Renames of flags and variables, and CEL role checks, in text that starts at an offset of the file. */
export function nameEdits(text: string, offset: number): readonly Edit[] {
  const renamed = renames.flatMap(({ old, name }) => edits(text, offset, old, (match) => match[0].replace(old, name)))
  const checks = edits(text, offset, toolCheck, ({ 0: all, 1: quote = "'", index }) =>
    isRoleCheck(text.slice(index + all.length)) ? `(${quote}tool:${quote} + ${all})` : all,
  )
  return [...renamed, ...checks]
}

/** Renames of the header alone: it goes with the claim, or not at all. */
export function headerEdits(text: string, offset: number): readonly Edit[] {
  return edits(text, offset, header, () => 'x-mcp-authorized')
}

/** What only a person can rewrite in Rego or CEL, because the shape of a value changes with its name. */
export function byHand(text: string, offset: number): readonly Finding[] {
  // An evaluator of Authorino may bear the name of the claim, and keeps it.
  const claim = /(?<![\w-])(?<!auth\.authorization(?:\.|\[''?|\[\\?"))allowed-tools(?![\w-])/.exec(text)
  const roles = /resource_access/.exec(text)
  const found: Finding[] = []
  if (claim !== null) found.push(claimFinding(offset + claim.index))
  if (roles !== null && /\broles\b/.test(text) && isRego(text) && !/tool:/.test(text)) {
    found.push({
      offset: offset + roles.index,
      what: 'Rego reads client roles as names of tools',
      why: 'v0.7.0 has tool roles begin with `tool:`',
      mend: 'look at this by hand: keep the roles that begin with `tool:`, and strip it',
    })
  }
  return found
}

/** The claim, where its value is computed and not a literal. */
export function claimFinding(offset: number): Finding {
  return {
    offset,
    what: 'the claim `allowed-tools` is built here',
    why:
      'its successor `allowed-capabilities` has another shape: {"tools":{server:[names]}}, not {server:[names]}, and ' +
      'without it the broker lists everything, unless it enforces capability filtering',
    mend: 'look at this by hand: build the new shape, then rename the claim and its header x-mcp-authorized together',
  }
}

function edits(text: string, offset: number, old: RegExp, by: (match: RegExpExecArray) => string): readonly Edit[] {
  return [...text.matchAll(old)]
    .map((match) => ({ start: offset + match.index, end: offset + match.index + match[0].length, text: by(match) }))
    .filter((edit) => edit.text !== text.slice(edit.start - offset, edit.end - offset))
}

function isRego(text: string): boolean {
  return /(?:^|\n)\s*(?:package|default|allow|import|\w+\s*(?::=|=(?!=)|if\b|contains\b))/.test(text)
}

/** Whether the right side of `in` reads roles: one operand, to the end of its brackets. */
function isRoleCheck(tail: string): boolean {
  const start = /^\s+in\s+/.exec(tail)?.[0].length ?? 0
  let depth = 0
  let at = start
  for (; at < tail.length; at += 1) {
    const letter = tail[at] ?? ''
    if ('([{'.includes(letter)) depth += 1
    else if (')]}'.includes(letter)) depth -= 1
    if (depth < 0 || (depth === 0 && /[\s&|?]/.test(letter))) break
  }
  return /\broles\b/.test(tail.slice(start, at))
}
