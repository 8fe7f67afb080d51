import { run } from './program.ts'

process.exitCode = await run(process.argv, {
  env: process.env,
  cwd: process.cwd(),
  out: process.stdout,
  err: process.stderr,
  in: process.stdin,
})
