'use strict'

/** The package as npm installs it and as it is pasted: each file and its size, each way in, each kind of project. */

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const ts = require('typescript')
const { generate } = require('../esm')
const { install, pack, PACKAGE } = require('./packed')
const { openStage } = require('./stage')
const { mistakesIn } = require('./type_check')

const ROOT = path.join(__dirname, '../..')
const MODULES = ['after', 'browser', 'calls', 'components', 'english', 'errors', 'gallery', 'held', 'index', 'names', 'owned', 'parts', 'pieces', 'platforms']
const TYPED = ['browser', 'components', 'english', 'index', 'parts', 'platforms']
const ENTRIES = ['.', './browser', './components', './english', './parts', './platforms', './uploader/uploader', './uploader/oss-uploader.vue', './uploader/uni_api.mjs', './package.json']
const VUE = ['uploader/oss-uploader.vue', 'uploader/uni_api.mjs']
const TAG = [...['d.ts', 'js', 'json', 'wxml', 'wxss'].map((kind) => `uploader/uploader.${kind}`), ...VUE]
const FILES = [
  'LICENSE', 'README.md', 'package.json',
  ...MODULES.flatMap((name) => [`${name}.js`, `${name}.mjs`]),
  ...TYPED.flatMap((name) => [`${name}.d.ts`, `${name}.d.mts`]),
  ...TAG,
].sort()

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

const manifest = () => JSON.parse(fs.readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'))
const isSame = (one, other) => fs.readFileSync(one).equals(fs.readFileSync(other))

test('the tarball has these files and no other, byte for byte', (t) => {
  assert.deepEqual(pack().names, FILES)
  const installed = path.join(install(t), 'node_modules/oss-direct-upload')
  assert.deepEqual(FILES.filter((name) => !fs.existsSync(path.join(installed, name))), [])
  FILES.forEach((name) => assert.ok(isSame(path.join(installed, name), path.join(PACKAGE, name)), name))
})

test('the package runs nothing when it is installed, and needs no other', () => {
  const { scripts, dependencies, peerDependencies, bin } = manifest()
  assert.deepEqual([scripts, dependencies, peerDependencies, bin], [undefined, undefined, undefined, undefined])
})

test('the licence is that of the whole', () => {
  assert.ok(isSame(path.join(PACKAGE, 'LICENSE'), path.join(ROOT, 'LICENSE')))
})

test('every way in leads to files that are there, the types before the code', () => {
  const { exports, main, module, types } = manifest()
  assert.deepEqual(Object.keys(exports).sort(), [...ENTRIES].sort())
  const targets = ENTRIES.filter((entry) => !/json$|uploader/.test(entry)).flatMap((entry) => {
    const name = entry === '.' ? 'index' : entry.slice(2)
    assert.deepEqual(exports[entry], {
      import: { types: `./${name}.d.mts`, default: `./${name}.mjs` }, require: { types: `./${name}.d.ts`, default: `./${name}.js` },
    })
    Object.values(exports[entry]).forEach((kind) => assert.equal(Object.keys(kind)[0], 'types'))
    return Object.values(exports[entry]).flatMap(Object.values)
  })
  const ofTag = exports['./uploader/uploader']
  assert.deepEqual(ofTag, { types: './uploader/uploader.d.ts', default: './uploader/uploader.js' })
  VUE.forEach((name) => assert.equal(exports[`./${name}`], `./${name}`))
  const wanted = [...targets, ...Object.values(ofTag), main, module, types].map((name) => path.normalize(name))
  assert.deepEqual(wanted.filter((name) => !FILES.includes(name)), [])
})

const LOAD = {
  'page.cjs': `
    const names = ['', '/browser', '/components', '/english', '/parts', '/platforms']
    const found = names.map((name) => Object.keys(require('oss-direct-upload' + name)).sort().join())
    let inner = ''
    try { require('oss-direct-upload/calls') } catch ({ code }) { inner = code }
    console.log(JSON.stringify([...found, inner, require('oss-direct-upload/package.json').name]))
  `,
  'page.mjs': `
    import { createRequire } from 'node:module'
    import * as index from 'oss-direct-upload'
    import * as browser from 'oss-direct-upload/browser'
    import * as components from 'oss-direct-upload/components'
    import * as english from 'oss-direct-upload/english'
    import * as parts from 'oss-direct-upload/parts'
    import * as platforms from 'oss-direct-upload/platforms'
    const found = [index, browser, components, english, parts, platforms].map((each) => Object.keys(each).sort().join())
    const inner = await import('oss-direct-upload/calls').then(() => '', ({ code }) => code)
    console.log(JSON.stringify([...found, inner, createRequire(import.meta.url)('oss-direct-upload/package.json').name]))
  `,
}

for (const [name, kind] of [['page.cjs', 'CommonJS'], ['page.mjs', 'ES modules']]) {
  test(`a project of ${kind} finds each way in, and no way into the rest`, (t) => {
    const folder = install(t, LOAD)
    const { stdout, stderr } = spawnSync(process.execPath, [name], { cwd: folder, encoding: 'utf8' })
    assert.deepEqual(JSON.parse(stdout || JSON.stringify(stderr)), [
      'OssUploadError,createUploader', 'createBrowserApi,filesFrom', 'afterRead,requestMethod', 'english',
      'createLargeUploader', 'createAlipayApi,createDouyinApi',
      'ERR_PACKAGE_PATH_NOT_EXPORTED', 'oss-direct-upload',
    ])
  })
}

test('both kinds upload', async (t) => {
  const folder = install(t, {
    'common.cjs': "module.exports = require('oss-direct-upload').createUploader",
    'module.mjs': "export { createUploader } from 'oss-direct-upload'",
  })
  const stage = await openStage(t)
  for (const createUploader of [require(path.join(folder, 'common.cjs')), (await import(path.join(folder, 'module.mjs'))).createUploader]) {
    const uploader = createUploader({ endpoint: stage.fc.origin, api: stage.wx })
    assert.equal((await uploader.upload(stage.file()).promise).statusCode, 200)
  }
})

const PAGE = `
import { createUploader, type OssUploadError, type Uploaded } from 'oss-direct-upload'
import { createBrowserApi } from 'oss-direct-upload/browser'
import { english } from 'oss-direct-upload/english'
import { createLargeUploader } from 'oss-direct-upload/parts'
import { afterRead, requestMethod } from 'oss-direct-upload/components'
import { createDouyinApi, type DouyinPlatform } from 'oss-direct-upload/platforms'
import type { OssUploaderComponent, OssUploaderEvents } from 'oss-direct-upload/uploader/uploader'

declare const tt: DouyinPlatform
const api: object = Math.random() > 0.5 ? createBrowserApi() : createDouyinApi(tt)
const uploader = createUploader({ endpoint: 'https://upload.example.com', api, texts: english })
const large = createLargeUploader({ endpoint: 'https://upload.example.com', api, partsFrom: 0 })
export const results: Promise<Uploaded>[] = [uploader, large].map((each) => each.upload({ filePath: 'a.jpg' }).promise)
export const methods = { afterRead: afterRead(uploader, { list: 'files', profile: 'avatar' }), requestMethod: requestMethod(large) }
export const keys = ({ items }: OssUploaderEvents['done']): (string | undefined)[] => items.map(({ key }) => key)
export const publish = (tag: OssUploaderComponent): Promise<string[]> => tag.use(large).then(() => tag.submit())
export const told = (error: OssUploadError): string => error.message
// @ts-expect-error no such option
afterRead(uploader, { lists: 'files' })
// @ts-expect-error no such option
createUploader({ endpoint: 'https://upload.example.com', apis: api })
`

for (const [name, options, type] of [
  ['page.ts', { module: 'node16', moduleResolution: 'node16' }, 'module'],
  ['page.cts', { module: 'nodenext', moduleResolution: 'nodenext' }, 'module'],
  ['page.ts', { module: 'esnext', moduleResolution: 'bundler' }, 'module'],
  ['page.ts', { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '5.0' }, 'commonjs'],
]) {
  test(`tsc --strict takes ${name} of a project of type ${type}, resolved the ${options.moduleResolution} way`, (t) => {
    const folder = install(t, { [name]: PAGE })
    const file = path.join(folder, 'package.json')
    fs.writeFileSync(file, JSON.stringify({ ...JSON.parse(fs.readFileSync(file, 'utf8')), type }))
    assert.deepEqual(mistakesIn(folder, [name], { exactOptionalPropertyTypes: true, lib: ['es2022', 'dom'], ...options }), [])
  })
}

// --- what is pasted

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

test('the files that are pasted are ES2018: nothing is left for a compiler to lower', () => {
  for (const name of PASTED_FILES) {
    const options = { target: ts.ScriptTarget.ES2018, module: ts.ModuleKind.CommonJS, removeComments: true }
    const options2 = { ...options, target: ts.ScriptTarget.ESNext }
    const lowered = (wanted) => ts.transpileModule(read(name), { compilerOptions: wanted, fileName: name }).outputText
    assert.equal(lowered(options), lowered(options2))
  }
})
