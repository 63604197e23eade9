'use strict'

/**
 * Writes the ES modules of the client beside its CommonJS files, which are the source, and copies into the
 * examples what is pasted there:
 *
 *     npm run esm
 */

const fs = require('node:fs')
const path = require('node:path')

const PACKAGE = path.join(__dirname, 'oss-direct-upload')
const PASTED = {
  'example/utils/oss-direct-upload': [
    'index.js', 'calls.js', 'after.js', 'held.js', 'owned.js', 'errors.js', 'names.js', 'parts.js', 'pieces.js',
    'gallery.js', ...['js', 'json', 'wxml', 'wxss'].map((kind) => `uploader/uploader.${kind}`),
  ],
  'examples/uni-app/src/utils/oss-direct-upload': [
    'index.mjs', 'calls.mjs', 'after.mjs', 'held.mjs', 'owned.mjs', 'errors.mjs', 'names.mjs', 'parts.mjs', 'pieces.mjs', 'gallery.mjs',
    ...['oss-uploader.vue', 'uni_api.mjs', 'uploader.wxss'].map((name) => `uploader/${name}`),
  ],
}
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
  for (const [folder, names] of Object.entries(PASTED)) {
    names.forEach((name) => fs.cpSync(path.join(PACKAGE, name), path.join(__dirname, folder, name)))
  }
}

module.exports = { generate, PASTED }
