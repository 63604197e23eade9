'use strict'

/** The package as npm installs it and as it is pasted: each file and its size, each way in, each kind of project, its types. */

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const ts = require('typescript')
const { generate } = require('../esm')
const { install, pack, PACKAGE } = require('./packed')

const ROOT = path.join(__dirname, '../..')
const MODULES = ['after', 'browser', 'calls', 'canvas', 'codec', 'components', 'content', 'english', 'errors', 'gallery', 'held', 'index', 'marks', 'names', 'options', 'owned', 'parts', 'pieces', 'platforms', 'smaller']
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
  [['index.js'], 12800], [['errors.js'], 7680], [['calls.js'], 7936], [['names.js'], 4608], [['options.js'], 2048], [['after.js'], 3072], [['held.js'], 2304], [['owned.js'], 2816],
  [['parts.js'], 13312], [['pieces.js'], 4608], [['content.js'], 4096], [['components.js'], 3072], [['platforms.js'], 2048],
  [['gallery.js'], 17408], [['smaller.js'], 6400], [['marks.js'], 2304], [['canvas.js'], 3840],
]
const PASTED_FILES = BOUNDS.flatMap(([names]) => names)
const NEEDS = {
  'index.js': ['errors', 'calls', 'after', 'options', 'smaller', 'held', 'owned'], 'held.js': ['errors', 'calls', 'after'], 'owned.js': ['errors', 'calls', 'held'], 'after.js': ['errors', 'calls'], 'calls.js': ['errors'], 'errors.js': ['names'], 'names.js': [], 'options.js': [],
  'smaller.js': ['calls', 'pieces', 'marks', 'canvas'], 'marks.js': [], 'canvas.js': ['calls'],
  'parts.js': ['errors', 'calls', 'index', 'content', 'pieces'], 'content.js': [], 'pieces.js': ['errors', 'calls'],
  'components.js': [], 'platforms.js': [], 'gallery.js': ['errors'],
}

const read = (name, folder = PACKAGE) => fs.readFileSync(path.join(folder, name), 'utf8')

const manifest = () => JSON.parse(fs.readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'))
const isSame = (one, other) => fs.readFileSync(one).equals(fs.readFileSync(other))

const parsed = new Map()

/** The messages of tsc --strict about these files of a folder; libraries are parsed once for all programs. */
function mistakesIn(folder, names, compilerOptions) {
  const { options, errors } = ts.convertCompilerOptionsFromJson(
    { strict: true, noEmit: true, target: 'es2022', lib: ['es2022'], types: [], skipDefaultLibCheck: true, ...compilerOptions }, folder,
  )
  const host = ts.createCompilerHost(options)
  const libraries = host.getDefaultLibLocation?.() ?? path.dirname(host.getDefaultLibFileName(options))
  const { getSourceFile } = host
  host.getSourceFile = (file, ...rest) => {
    if (path.dirname(file) !== path.normalize(libraries)) return getSourceFile(file, ...rest)
    if (!parsed.has(file)) parsed.set(file, getSourceFile(file, ...rest))
    return parsed.get(file)
  }
  const program = ts.createProgram(names.map((name) => path.join(folder, name)), options, host)
  return [...errors, ...ts.getPreEmitDiagnostics(program)].map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
}

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

const PAGE = `
import { createUploader, type Uploaded } from 'oss-direct-upload'
import { createBrowserApi } from 'oss-direct-upload/browser'
import { english } from 'oss-direct-upload/english'
import { createLargeUploader } from 'oss-direct-upload/parts'
import { requestMethod } from 'oss-direct-upload/components'
import { createDouyinApi, type DouyinPlatform } from 'oss-direct-upload/platforms'
import type { OssUploaderComponent, OssUploaderEvents } from 'oss-direct-upload/uploader/uploader'

declare const tt: DouyinPlatform
const api: object = Math.random() > 0.5 ? createBrowserApi() : createDouyinApi(tt)
const large = createLargeUploader({ endpoint: 'https://upload.example.com', api, partsFrom: 0 })
export const result: Promise<Uploaded> = createUploader({ endpoint: 'https://upload.example.com', api, texts: english }).upload({ filePath: 'a.jpg' }).promise
export const method = requestMethod(large)
export const keys = ({ items }: OssUploaderEvents['done']): (string | undefined)[] => items.map(({ key }) => key)
export const publish = (tag: OssUploaderComponent): Promise<string[]> => tag.use(large).then(() => tag.submit())
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

/** Bytes of the files that are loaded until a picture has been uploaded. */
function loadedBy(module, options) {
  const code = `
    const { createUploader } = require('${PACKAGE}/index')
    if ('${module}') require('${PACKAGE}/${module}')
    const answer = (data) => ({ success }) => setImmediate(success, { statusCode: 200, data })
    const form = { formData: {}, key: 'a', uploadId: 'a', expiresAt: '2126-01-01T00:00:00Z', serverTime: '2026-01-01T00:00:00Z' }
    const api = { request: answer(JSON.stringify(form)), uploadFile: answer('') }
    createUploader({ endpoint: 'https://a.test', api${options} }).upload({ filePath: 'a.jpg', size: 9 }).promise.then(() => {
      console.log(JSON.stringify(Object.keys(require.cache).filter((name) => name.startsWith('${PACKAGE}'))))
    })`
  const { stdout, stderr } = spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' })
  assert.equal(stderr, '')
  const names = JSON.parse(stdout)
  return { names: names.map((name) => path.basename(name, '.js')).sort(), bytes: names.reduce((sum, name) => sum + fs.statSync(name).size, 0) }
}

for (const [what, module, options, most, names] of [
  ['a page that uploads pictures', '', '', 32, ['after', 'calls', 'errors', 'index', 'options']],
  ['a page that makes them smaller', '', ', compress: true', 48, ['smaller', 'pieces', 'marks', 'names']],
  ['a page with large files', 'parts', '', 52, ['content', 'parts', 'pieces']],
]) {
  test(`${what} loads less than ${most} KB`, (t) => {
    const loaded = loadedBy(module, options)
    t.diagnostic(`${loaded.bytes} bytes: ${loaded.names}`)
    assert.deepEqual(names.filter((name) => !loaded.names.includes(name)), [])
    assert.ok(loaded.bytes <= most * 1024, `${loaded.bytes} bytes: ${loaded.names}`)
    if (module || options) return
    const printed = ['', '.zh-CN'].map((language) => Number(/`createUploader` (?:loads|加载) (\d+) KB/.exec(read(`client${language}.md`, path.join(ROOT, 'docs')))[1]))
    assert.deepEqual(printed, Array(2).fill(Math.round(loaded.bytes / 1024)))
  })
}

test('the tag has at most 670 lines of code, in all its files', () => {
  const names = ['gallery.js', ...['js', 'json', 'wxml', 'wxss'].map((kind) => `uploader/uploader.${kind}`)]
  const codeOf = (name) => read(name).replace(/\/\*[^]*?\*\//g, '').split('\n').filter((line) => line.trim() && !/^\s*\/\//.test(line))
  const lines = names.reduce((sum, name) => sum + codeOf(name).length, 0)
  assert.ok(lines <= 670, `${lines} lines`)
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

// --- the types, as pages meet them

const MODERN = { lib: ['es2022', 'dom'], module: 'node16' }

const CLIENT = `
import { createUploader } from 'oss-direct-upload'
import type { CallbackAnswer, ErrorCode, OssUploadError, State, Uploaded } from 'oss-direct-upload'

const uploader = createUploader({ endpoint: 'https://upload.example.com', api: {}, user: 'zhang', digest: { album: 'default' }, enableHttp2: true, texts: ({ code }) => code })
const batch = uploader.uploadAll([{ filePath: 'a.jpg' }], {
  onProgress: ({ progress, failed }) => [progress, failed].map((count) => count.toFixed()),
  onFile: ({ index, file, value, reason }) => [index.toFixed(), file.filePath, value?.key, reason?.message],
})
batch.abort()
uploader.logOut()

export async function read(): Promise<string[]> {
  const said = []
  for (const { value, reason } of await batch) said.push(value ? value.url : reason.message)
  const { data } = await uploader.upload<CallbackAnswer>({ filePath: 'a.jpg' }).promise
  const plain: Uploaded = await uploader.upload({ filePath: 'a.jpg', aiDeclared: true, context: { order: 7 }, sha256: 'f'.repeat(64) }).promise
  if (!plain.confirmed && plain.ticket) said.push((await uploader.confirm(plain.ticket)).receipt)
  const url: string = await uploader.read(plain.key, { variant: 'thumb' })
  const urls: string[] = plain.exists ? await uploader.read([plain.key]) : [url]
  if (plain.timing) said.push(plain.timing.protocol ?? '', String(plain.timing.connectEnd))
  if (plain.aiLabel?.label === 1) said.push(plain.aiLabel.producer ?? '')
  // @ts-expect-error no such label
  if (plain.aiLabel?.label === 4) return []
  // @ts-expect-error one URL is no list
  urls.push(...(await uploader.read(plain.key)).map((each: string) => each))
  return [...said, ...urls, data.receipt, typeof plain.data === 'string' ? plain.data : plain.data.etag]
}

export async function follow(result: Uploaded, failure: OssUploadError): Promise<(string | null)[]> {
  const one = await uploader.status(result.receipt ?? '')
  const state: State = result.held ? one.state : result.state
  const [first] = await uploader.status([result.receipt ?? ''])
  const told = first.error ? first.error.message : first.url
  const gone: State = (await uploader.discard(result)).state
  await uploader.discard(failure)
  await uploader.discard('a receipt')
  // @ts-expect-error a list is told one by one
  await uploader.discard(['a receipt'])
  // @ts-expect-error no such state
  if (state === 'waiting') return []
  // @ts-expect-error what was refused has no key
  return [state, gone, told, first.key.toUpperCase()]
}

export async function tidy(): Promise<string[]> {
  const seen: string[] = []
  for await (const { key, size, url } of uploader.list({ profile: 'avatar', limit: 20, variant: 'thumb' })) seen.push(key, size.toFixed(), url ?? '')
  const mine = uploader.list()
  const { done, items } = await mine.page()
  const { value } = await mine.next()
  const [first] = await uploader.delete(items.map(({ key }) => key))
  const gone: 'gone' = (await uploader.delete(value.key)).state
  await uploader.upload({ filePath: 'a.jpg', replaces: items[0].key }).promise
  // @ts-expect-error what was refused has a reason, and is not gone
  seen.push(first.error ? first.state.toUpperCase() : first.key)
  // @ts-expect-error a file that is replaced is named by its key
  await uploader.upload({ filePath: 'a.jpg', replaces: items[0] }).promise
  return [...seen, gone, done ? 'done' : 'more', first.error ? first.error.code : first.state]
}

export function wait(error: OssUploadError): number {
  const codes: ErrorCode[] = ['interrupted', 'tls_failed', 'privacy_undeclared', 'quota_exceeded', 'not_uploaded', 'upload_gone', error.code]
  // @ts-expect-error no such code
  codes.push('nonsense')
  // @ts-expect-error a comparison that can never be true
  if (error.code === 'too_big') return 0
  // @ts-expect-error the text of OSS may be no object
  uploader.upload({ filePath: 'a' }).promise.then(({ data }) => data.etag)
  return (error.limits?.maxSize ?? 0) + (error.retryAfter ?? 0)
}
`

const COMPONENTS = `
import { createUploader } from 'oss-direct-upload'
import { createLargeUploader } from 'oss-direct-upload/parts'
import { afterRead, requestMethod, type ComponentFile } from 'oss-direct-upload/components'

type Profiles = { default: { variants: never }; avatar: { variants: 'thumb' } }
const uploader = createUploader<Profiles>({ endpoint: 'https://upload.example.com', api: {} })
const large = createLargeUploader<Profiles>({ endpoint: 'https://upload.example.com', api: {} })
export const handlers = [requestMethod(uploader, { profile: 'avatar' }), afterRead(large, { list: 'files', profile: 'avatar' })]
export const plain = afterRead(createUploader({ endpoint: 'https://upload.example.com', api: {} }), { profile: 'anything' })
export const told = ({ status, message, receipt }: ComponentFile): string => (status === 'failed' ? message : receipt ?? '')
// @ts-expect-error no such profile
requestMethod(uploader, { profile: 'avatars' })
// @ts-expect-error no such profile
afterRead(large, { profile: 'avatars' })
// @ts-expect-error no such option
afterRead(uploader, { lists: 'files' })
`

const LARGE = `
import { createUploader } from 'oss-direct-upload'
import { createBrowserApi, filesFrom } from 'oss-direct-upload/browser'
import { english } from 'oss-direct-upload/english'
import { createLargeUploader, type LargeUploadTask } from 'oss-direct-upload/parts'

const api = createBrowserApi({ login: () => 'code', storage: sessionStorage })
createUploader({ endpoint: 'https://upload.example.com', api, user: 'zhang', texts: english }).uploadAll(filesFrom([]))

const large = createLargeUploader({ endpoint: 'https://upload.example.com', api, user: 'zhang', partsFrom: 0, concurrency: 2 })
const task: LargeUploadTask = large.upload({
  filePath: 'a.mp4', onProgress: ({ loaded, speed = 0, timeLeft }) => [loaded.toFixed(), speed.toFixed(), timeLeft?.toFixed()],
})
task.pause()
task.resume()
task.promise.then(({ receipt }) => receipt?.length)
large.uploadAll(filesFrom([])).abort()
// @ts-expect-error no such option
createLargeUploader({ endpoint: 'https://upload.example.com', api, partsfrom: 0 })
`

const PROFILES = `
import { createUploader } from 'oss-direct-upload'
import { filesFrom } from 'oss-direct-upload/browser'
import { createLargeUploader } from 'oss-direct-upload/parts'
import type { Profiles } from './profiles.js'

const endpoint = 'https://upload.example.com'
const uploader = createUploader<Profiles>({ endpoint, api: {}, profile: 'album', digest: { album: 'default' } })
const large = createLargeUploader<Profiles>({ endpoint, api: {}, profile: 'video' })
uploader.upload({ filePath: 'a.jpg', profile: 'avatar' })
uploader.uploadAll(filesFrom([]), { onFile: ({ value }) => value?.key })
uploader.uploadAll([...uploader.fromChosen({}).map((file) => ({ ...file, profile: 'avatar' as const })), { filePath: 'b.jpg' }])
uploader.read('uploads/a.jpg', { variant: 'thumb' })
large.upload({ filePath: 'a.mp4', profile: 'video' })
large.read(['videos/a.mp4'], { variant: 'cover' })
`

// Each with the word that no profile or variant is called.
const MISTAKES = [
  ["createUploader<Profiles>({ endpoint, api: {}, profile: 'defualt' })", 'defualt'],
  ["createUploader<Profiles>({ endpoint, api: {}, digest: { album: 'avatr' } })", 'avatr'],
  ["createUploader<Profiles>({ endpoint, api: {}, digest: { albun: 'default' } })", 'albun'],
  ["createLargeUploader<Profiles>({ endpoint, api: {}, profile: 'vidoe' })", 'vidoe'],
  ["uploader.upload({ filePath: 'a.jpg', profile: 'avater' })", 'avater'],
  ["uploader.uploadAll([{ filePath: 'a.jpg', profile: 'avater' }])", 'avater'],
  ["uploader.read('uploads/a.jpg', { variant: 'thum' })", 'thum'],
  ["uploader.read(['uploads/a.jpg'], { variant: 'thum' })", 'thum'],
  ["large.upload({ filePath: 'a.mp4', profile: 'vidoe' })", 'vidoe'],
  // Pages of classic forms do without the client.
  ["uploader.upload({ filePath: 'a.jpg', profile: 'legacy' })", 'legacy'],
]

function mistakesOf(t, pages, options = MODERN) {
  return mistakesIn(install(t, pages), Object.keys(pages), options)
}

test('tsc takes pages of the client, the uploader components, large files and H5, and each mistake that they expect', (t) => {
  assert.deepEqual(mistakesOf(t, { 'client.mts': CLIENT, 'components.mts': COMPONENTS, 'large.mts': LARGE }), [])
})

test('a project without asynchronous iteration among its libraries is checked, too', (t) => {
  const text = `
import { createUploader } from './node_modules/oss-direct-upload/index'
export const key = createUploader({ endpoint: 'https://upload.example.com', api: {} }).list().next().then(({ value }) => value.key)
`
  assert.deepEqual(mistakesOf(t, { 'page.ts': text }, { module: 'commonjs', moduleResolution: 'node10', target: 'es2015', lib: ['es2015'] }), [])
})

test('with what manage.py types writes a misspelt profile or variant fails tsc, and nothing else does', (t) => {
  const pages = { 'page.mts': PROFILES + MISTAKES.map(([line]) => `${line}\n`).join('') }
  const folder = install(t, pages)
  const made = spawnSync(process.env.PYTHON || 'python3', [
    'manage.py', 'types', 'local/demo/profiles.toml', '--output', path.join(folder, 'profiles.d.ts'),
  ], { cwd: ROOT, encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  const said = mistakesIn(folder, Object.keys(pages), MODERN)
  assert.equal(said.length, MISTAKES.length, said.join('\n'))
  MISTAKES.forEach(([line, word], index) => assert.match(said[index], new RegExp(word), line))
})

for (const [types, line] of [
  ['@mini-types/alipay', 'const api: object = createAlipayApi(my)\n// @ts-expect-error it wants to know the kind of a file\ncreateDouyinApi(my)'],
  ['@douyin-microapp/typings', 'const api: object = createDouyinApi(tt)\n// @ts-expect-error its storage takes no objects\ncreateAlipayApi(tt)'],
]) {
  test(`the platform object that ${types} describes is what its adapter takes`, (t) => {
    const text = `import { createAlipayApi, createDouyinApi } from './node_modules/oss-direct-upload/platforms'\n${line}\nexport default [api, createAlipayApi, createDouyinApi]\n`
    const folder = install(t, { 'platform.ts': text })
    const scope = types.split('/')[0]
    fs.symlinkSync(path.join(ROOT, 'node_modules', scope), path.join(folder, 'node_modules', scope), 'junction')
    assert.deepEqual(mistakesIn(folder, ['platform.ts'], { skipLibCheck: true, lib: ['es2020'], module: 'commonjs', types: [types] }), [])
  })
}
