import { readFile, stat } from 'node:fs/promises'
import { LineCounter, parseDocument, type YAMLError } from 'yaml'
import { emptyDocument, type Located } from './located.ts'
import { fileFault, type Problem, problemAt } from './problem.ts'
import { documentOf } from './yaml-document.ts'

/** Bytes; a longer file is refused. */
export const maxSourceBytes = 16 * 1024 * 1024

export type SourceReading =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problem: Problem }

export type SourceParsing =
  | { readonly ok: true; readonly root: Located }
  | { readonly ok: false; readonly problems: readonly Problem[] }

/** Reads a file of UTF-8 text; `problem.message` says why it could not be. A byte-order mark is dropped. */
export async function readSource(file: string): Promise<SourceReading> {
  const fault = (message: string, mend: string): SourceReading => {
    return { ok: false, problem: { file, line: undefined, column: undefined, path: '', message, mend } }
  }
  try {
    const size = (await stat(file)).size
    const bytes = size > maxSourceBytes ? undefined : await readFile(file)
    if (bytes === undefined || bytes.length > maxSourceBytes) {
      return fault('larger than 16 MiB', 'split it, or name another file')
    }
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (error) {
    if (error instanceof TypeError) return fault('expected text in UTF-8', 'save it as UTF-8')
    return fault(fileFault(error), 'create it, or name another file')
  }
}

/**
 * Parses one YAML 1.2 document (core schema, keys are strings). A file whose name ends in `.json` must also be JSON.
 * An empty document is an object without members.
 */
export function parseSource(file: string, text: string): SourceParsing {
  if (Buffer.byteLength(text) > maxSourceBytes) {
    return refused(file, 'larger than 16 MiB', 'split it, or name another file')
  }
  const lineCounter = new LineCounter()
  const document = parseDocument(text, {
    lineCounter,
    // `error` and not `silent`: only then is a second document reported.
    logLevel: 'error',
    merge: false,
    prettyErrors: false,
    resolveKnownTags: false,
    schema: 'core',
    stringKeys: true,
    uniqueKeys: false,
  })
  const [fault] = [...document.errors, ...document.warnings]
  if (fault !== undefined) return { ok: false, problems: [syntaxProblem(file, lineCounter, fault)] }
  if (document.contents === null) return { ok: true, root: emptyDocument({ file, line: 1, column: 1 }) }
  const { root, problems } = documentOf(document.contents, file, lineCounter)
  if (problems.length > 0) return { ok: false, problems }
  if (/\.json$/i.test(file) && !isJson(text)) return refused(file, 'not JSON', 'mend it, or rename it to `.yaml`')
  if (root.kind === 'scalar' && root.value === null) return { ok: true, root: emptyDocument(root.at) }
  return { ok: true, root }
}

function refused(file: string, message: string, mend: string): SourceParsing {
  return { ok: false, problems: [problemAt({ file, line: 1, column: 1 }, { path: [], message, mend })] }
}

function syntaxProblem(file: string, lineCounter: LineCounter, fault: YAMLError): Problem {
  const { line, col } = lineCounter.linePos(fault.pos[0])
  return problemAt({ file, line, column: col }, { path: [], ...syntaxText(fault) })
}

function syntaxText(fault: YAMLError): { readonly message: string; readonly mend: string } {
  if (fault.code === 'MULTIPLE_DOCS') return { message: 'expected one document', mend: 'remove `---` and what follows' }
  if (fault.code === 'RESOURCE_EXHAUSTION') return { message: 'nested too deeply', mend: 'nest less' }
  if (fault.code === 'NON_STRING_KEY') return { message: 'expected a key that is text', mend: 'put the key in quotes' }
  if (fault.code === 'TAG_RESOLVE_FAILED') return { message: 'unknown tag', mend: 'remove the `!tag`' }
  // What follows a colon and a quote in the parser's texts is a piece of the file.
  const text = fault.message.replace(/[\s:]*["'][\s\S]*$/, '').replace(/\s+/g, ' ')
  const mend = 'check the indentation and brackets here, and put text that holds `{`, `}`, `: ` or ` #` in quotes'
  return { message: `not well-formed YAML: ${text.charAt(0).toLowerCase()}${text.slice(1)}`, mend }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return text.trim() === ''
  }
}
