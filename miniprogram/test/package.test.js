'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { pathToFileURL } = require('node:url')
const ts = require('typescript')
const { generate } = require('../esm')
const { openStage } = require('./stage')

const PACKAGE = path.join(__dirname, '../example/utils/oss-direct-upload')
const BOUNDS = [
  [['index.js', 'errors.js'], 17408], [['calls.js'], 7168], [['names.js'], 4096], [['after.js'], 3072], [['held.js'], 2304], [['owned.js'], 2816],
  [['parts.js'], 8704], [['pieces.js'], 5120], [['components.js'], 3072], [['platforms.js'], 2048],
  [['gallery.js'], 16384],
]
const PASTED_FILES = BOUNDS.flatMap(([names]) => names)
const NEEDS = {
  'index.js': ['errors', 'calls', 'after', 'names', 'held', 'owned'], 'held.js': ['errors', 'calls', 'after'], 'owned.js': ['errors', 'calls', 'held'], 'after.js': ['errors', 'calls'], 'calls.js': ['errors'], 'errors.js': ['names'], 'names.js': [],
  'parts.js': ['errors', 'calls', 'index', 'pieces'], 'pieces.js': ['errors', 'calls'],
  'components.js': [], 'platforms.js': [], 'gallery.js': ['errors'],
}

const read = (name, folder = PACKAGE) => fs.readFileSync(path.join(folder, name), 'utf8')

for (const [names, most] of BOUNDS) {
  test(`${names.join(' and ')}, unminified, is less than ${most / 1024} KB`, (t) => {
    const sizes = names.map((name) => fs.statSync(path.join(PACKAGE, name)).size)
    const total = sizes.reduce((sum, size) => sum + size)
    t.diagnostic(`${names.map((name, index) => `${name} ${sizes[index]} bytes`).join(', ')}, together ${total}`)
    assert.ok(total < most, `${names} have ${total} bytes`)
  })
}

test('the tag has at most 600 lines of code, in all its files', () => {
  const names = ['gallery.js', ...['js', 'json', 'wxml', 'wxss'].map((kind) => `uploader/uploader.${kind}`)]
  const codeOf = (name) => read(name).replace(/\/\*[^]*?\*\//g, '').split('\n').filter((line) => line.trim() && !/^\s*\/\//.test(line))
  const lines = names.reduce((sum, name) => sum + codeOf(name).length, 0)
  assert.ok(lines <= 600, `${lines} lines`)
})

test('the files that are pasted need nothing but each other', () => {
  for (const name of PASTED_FILES) {
    const wanted = new Set([...read(name).matchAll(/require\('([^']+)'\)/g)].map(([, id]) => id))
    assert.deepEqual([...wanted], NEEDS[name].map((each) => `./${each}`))
  }
})

test('the ES modules are what npm run esm writes, and nothing else lies there', () => {
  const made = generate()
  for (const [name, text] of made) assert.equal(read(name), text, `${name} is not from today: npm run esm`)
  const lying = fs.readdirSync(PACKAGE).filter((name) => /\.m?ts$|\.mjs$/.test(name) && !name.endsWith('.d.ts'))
  assert.deepEqual(lying.sort(), made.map(([name]) => name).sort())
})

for (const [name, exported] of [
  ['index', ['OssUploadError', 'createUploader']], ['english', ['english']], ['browser', ['createBrowserApi', 'filesFrom']],
  ['parts', ['createLargeUploader']], ['components', ['afterRead', 'requestMethod']], ['platforms', ['createAlipayApi', 'createDouyinApi']],
]) {
  test(`${name} has the same exports as an ES module`, async () => {
    const module = await import(pathToFileURL(path.join(PACKAGE, `${name}.mjs`)).href)
    assert.deepEqual(Object.keys(module).sort(), exported)
    assert.deepEqual(Object.keys(require(path.join(PACKAGE, name))).sort(), exported)
  })
}

test('the ES module uploads', async (t) => {
  const stage = await openStage(t)
  const { createUploader } = await import(pathToFileURL(path.join(PACKAGE, 'index.mjs')).href)
  const uploader = createUploader({ endpoint: stage.fc.origin, api: stage.wx })
  assert.equal((await uploader.upload(stage.file()).promise).statusCode, 200)
})

test('the files that are pasted are ES2018: nothing is left for a compiler to lower', () => {
  for (const name of PASTED_FILES) {
    const options = { target: ts.ScriptTarget.ES2018, module: ts.ModuleKind.CommonJS, removeComments: true }
    const options2 = { ...options, target: ts.ScriptTarget.ESNext }
    const lowered = (wanted) => ts.transpileModule(read(name), { compilerOptions: wanted, fileName: name }).outputText
    assert.equal(lowered(options), lowered(options2))
  }
})
