import { textOf } from '../policy/errors.ts'
import type { Mark, Tally } from '../state/ledger.ts'

export interface NotebookOptions {
  readonly tally: Pick<Tally, 'record'>
  /** How long marks are kept in memory, in milliseconds. Default: 1000. */
  readonly flushMs?: number
  /** Told why they could not be written, once for each cause. */
  readonly onFault: (text: string) => void
}

/** What is to be written some time soon: many uses make one write. */
export interface Notebook {
  note(mark: Mark): void
  /** Writes what is there. Never rejects; nothing is written by itself any more. */
  close(): Promise<void>
}

/** Makes a notebook. What cannot be written is kept, and tried again with the next. */
export function createNotebook({ tally, flushMs = 1000, onFault }: NotebookOptions): Notebook {
  const noted = new Map<string, Mark>()
  const run: { timer?: NodeJS.Timeout | undefined; writing?: Promise<void>; told?: string | undefined; over: boolean } =
    { over: false }

  // The timer starts with the first mark: where nothing is used, nothing runs.
  function note(mark: Mark): void {
    noted.set(mark.key, merged(noted.get(mark.key), mark))
    if (!run.over) run.timer ??= setTimeout(() => void flush(), flushMs).unref()
  }

  async function flush(): Promise<void> {
    // One at a time: a store that hangs is not asked again and again.
    await run.writing
    run.timer = undefined
    const marks = [...noted.values()]
    noted.clear()
    if (marks.length > 0) run.writing = write(marks)
    await run.writing
  }

  async function write(marks: readonly Mark[]): Promise<void> {
    try {
      await tally.record(marks)
      run.told = undefined
    } catch (thrown) {
      const cause = textOf(thrown)
      if (cause !== run.told) onFault(`the uses of API keys cannot be written: ${cause}`)
      run.told = cause
      for (const mark of marks) note(mark)
    }
  }

  return {
    note,
    async close() {
      run.over = true
      clearTimeout(run.timer)
      await flush()
    },
  }
}

function merged(earlier: Mark | undefined, mark: Mark): Mark {
  if (earlier === undefined) return mark
  if ('add' in mark) return 'add' in earlier ? { ...mark, add: earlier.add + mark.add } : mark
  return 'atLeast' in earlier ? { ...mark, atLeast: Math.max(earlier.atLeast, mark.atLeast) } : mark
}
