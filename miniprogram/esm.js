'use strict'

/**
 * Writes the ES modules of the client beside its CommonJS files, which are the source:
 *
 *     npm run esm
 */

const fs = require('node:fs')
const path = require('node:path')

const PACKAGE = path.join(__dirname, 'example/utils/oss-direct-upload')
const KINDS = [
  ['.d.ts', '.d.mts', (text) => text.replace(/from '\.\/(\w+)'/g, "from './$1.mjs'")],
  ['.js', '.mjs', toEsm],
]

function toEsm(text) {
  const made = text
    .replace(/^'use strict'\n\n/, '')
    .replace(/^(?=const)/m, lateImports(text))
    .replace(LATE, '$1.')
    .replace(/^const (\{.+\}) = require\('\.\/(\w+)'\)$/gm, "import $1 from './$2.mjs'")
    .replace(/^module\.exports = (\{.+\})$/m, 'export $1')
  if (/\b(require|module|exports)\b[.([]/.test(made)) throw new Error('this is no ES module yet')
  return made
}

const LATE = /\brequire\('\.\/(\w+)'\)\./g

/** What CommonJS loads when it is needed, an ES module names at its head. */
function lateImports(text) {
  const names = new Set([...text.matchAll(LATE)].map(([, name]) => name))
  return [...names].map((name) => `import * as ${name} from './${name}.mjs'\n`).join('')
}

/** Every generated file as [name, text]. */
function generate() {
  return fs.readdirSync(PACKAGE).flatMap((name) => KINDS
    .filter(([from]) => name.endsWith(from))
    .map(([from, to, convert]) => (
      [name.slice(0, -from.length) + to, convert(fs.readFileSync(path.join(PACKAGE, name), 'utf8'))]
    )))
}

if (require.main === module) {
  generate().forEach(([name, text]) => fs.writeFileSync(path.join(PACKAGE, name), text))
}

module.exports = { generate }
