// Builds dist/ after an install in a checkout. Plain JavaScript for any Node: an install without development
// dependencies has no compiler, and no Node of ours to run TypeScript with.
import { execSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const compiler = new URL('../node_modules/typescript/bin/tsc', import.meta.url)
if (existsSync(compiler)) {
  execSync('npm run --silent build', { stdio: 'inherit' })
} else {
  process.stdout.write('dist/ is not built: the compiler is not installed; bin/mcp-authz.js runs the sources\n')
}
