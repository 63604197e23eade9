'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const ts = require('typescript')

const PACKAGE = path.join(__dirname, '../oss-direct-upload')
const PASTED = path.join(__dirname, '../example/utils/oss-direct-upload')
const PASTED_FILES = ['index.js', 'errors.js']
const MOST_BYTES = 16384

const read = (name, folder = PACKAGE) => fs.readFileSync(path.join(folder, name), 'utf8')

test('the two files together are smaller than 16 KB, unminified', (t) => {
  const sizes = PASTED_FILES.map((name) => fs.statSync(path.join(PACKAGE, name)).size)
  const total = sizes.reduce((sum, size) => sum + size)
  t.diagnostic(`index.js ${sizes[0]} bytes, errors.js ${sizes[1]} bytes, together ${total}`)
  assert.ok(total < MOST_BYTES, `the two files have ${total} bytes`)
})

test('the example uses exact copies of the two files', () => {
  assert.deepEqual(fs.readdirSync(PASTED).sort(), [...PASTED_FILES].sort())
  for (const name of PASTED_FILES) {
    assert.equal(read(name, PASTED), read(name), `copy it again: cp ${path.join(PACKAGE, name)} ${PASTED}`)
  }
})

test('the two files need nothing but each other', () => {
  for (const name of PASTED_FILES) {
    const wanted = [...read(name).matchAll(/require\('([^']+)'\)/g)].map(([, id]) => id)
    assert.deepEqual(wanted, name === 'index.js' ? ['./errors'] : [])
  }
})

test('the two files are ES2018: nothing is left for a compiler to lower', () => {
  for (const name of PASTED_FILES) {
    const options = { target: ts.ScriptTarget.ES2018, module: ts.ModuleKind.CommonJS, removeComments: true }
    const options2 = { ...options, target: ts.ScriptTarget.ESNext }
    const lowered = (wanted) => ts.transpileModule(read(name), { compilerOptions: wanted, fileName: name }).outputText
    assert.equal(lowered(options), lowered(options2))
  }
})

test('构建 npm accepts the package', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pack-npm-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  fs.cpSync(PACKAGE, path.join(folder, 'node_modules/oss-direct-upload'), { recursive: true })
  const packageJson = path.join(folder, 'package.json')
  fs.writeFileSync(packageJson, JSON.stringify({ name: 'app', dependencies: { 'oss-direct-upload': '*' } }))
  const report = await require('miniprogram-ci').packNpmManually({
    packageJsonPath: packageJson, miniprogramNpmDistDir: path.join(folder, 'app'),
  })
  assert.deepEqual(report, { miniProgramPackNum: 1, otherNpmPackNum: 0, warnList: [] })
  const built = path.join(folder, 'app/miniprogram_npm/oss-direct-upload')
  assert.equal(read('index.js', built), read('index.js'))
  assert.equal(typeof require(built).createUploader, 'function')
})
