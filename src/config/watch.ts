import { isDeepStrictEqual } from 'node:util'
import type { Data } from '../policy/data.gen.ts'
import { type DataText, parseData } from './data.ts'
import { ConfigError, type Problem } from './problem.ts'
import { readSource } from './source.ts'
import { type FilesWatch, watchFiles } from './watch-files.ts'

export interface WatchOptions {
  /**
   * The data that is in use already. The first set of files is handed over unless it holds the same, so that a change
   * between loading and watching is not lost. Absent: the first set is always handed over.
   */
  readonly current?: Data
  /** Takes a whole, valid, frozen set. The next one waits until it is done; what it throws goes to `onError`. */
  onData(data: Data): void | Promise<void>
  /** Told once for each content of the files that cannot be used; a ConfigError, or what `onData` threw. */
  onError(error: unknown): void
}

export type DataWatch = FilesWatch

/** Watches the data files as one set, see `watchFiles`. */
export function watchData(files: readonly string[], { current, onData, onError }: WatchOptions): DataWatch {
  if (files.length === 0) return { close: () => undefined }
  let closed = false
  const watch = watchFiles(files, {
    read: () => readSet(files),
    async onChange(set, isFirst) {
      try {
        const data = dataOf(isFirst ? set : withoutBlanks(set))
        if (!isFirst || current === undefined || !isDeepStrictEqual(data, current)) await onData(data)
      } catch (error) {
        if (!closed) onError(error)
      }
    },
  })
  return {
    close: () => {
      closed = true
      watch.close()
    },
  }
}

interface ReadSet {
  readonly texts: readonly DataText[]
  readonly problems: readonly Problem[]
}

async function readSet(files: readonly string[]): Promise<ReadSet> {
  const readings = await Promise.all(files.map(readSource))
  return {
    texts: readings.flatMap((reading, index) => (reading.ok ? { file: files[index] ?? '', text: reading.text } : [])),
    problems: readings.flatMap((reading) => (reading.ok ? [] : [reading.problem])),
  }
}

/**
 * A file that is written in place is blank for a moment, and blank is no data: everything would be denied until the
 * rest has come, or for good if that is refused.
 */
function withoutBlanks({ texts, problems }: ReadSet): ReadSet {
  const blank = texts.filter(({ text }) => text.trim() === '')
  const message = 'the file has become empty'
  const mend = 'write `{}` if there is to be no data, and rename whole files into place'
  return {
    texts,
    problems: [
      ...problems,
      ...blank.map(({ file }) => ({ file, line: undefined, column: undefined, path: '', message, mend })),
    ],
  }
}

function dataOf({ texts, problems }: ReadSet): Data {
  if (problems.length > 0) throw new ConfigError(problems)
  return parseData(texts)
}
