import { run } from './program.ts'

// Whoever reads no further (`| head`) has what they wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await run(process.argv, {
  env: process.env,
  cwd: process.cwd(),
  out: process.stdout,
  err: process.stderr,
  in: process.stdin,
})
