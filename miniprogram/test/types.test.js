'use strict'

/** The types as the programs of others meet them: tsc checks pages that use the client, and names what they misspell. */

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { mistakesIn } = require('./type_check')

const ROOT = path.join(__dirname, '../..')
const PACKAGE = path.join(ROOT, 'miniprogram/example/utils/oss-direct-upload')
const MODERN = { lib: ['es2022', 'dom'], module: 'node16' }

const CLIENT = `
import { createUploader } from 'oss-direct-upload'
import type { CallbackAnswer, ErrorCode, OssUploadError, State, Uploaded } from 'oss-direct-upload'

const uploader = createUploader({ endpoint: 'https://upload.example.com', api: {}, user: 'zhang', digest: { album: 'default' }, texts: ({ code }) => code })
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
  const plain: Uploaded = await uploader.upload({ filePath: 'a.jpg', context: { order: 7 }, sha256: 'f'.repeat(64) }).promise
  if (!plain.confirmed && plain.ticket) said.push((await uploader.confirm(plain.ticket)).receipt)
  const url: string = await uploader.read(plain.key, { variant: 'thumb' })
  const urls: string[] = plain.exists ? await uploader.read([plain.key]) : [url]
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

let folder
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'types-'))
  fs.cpSync(PACKAGE, path.join(folder, 'node_modules/oss-direct-upload'), { recursive: true })
  for (const name of ['@mini-types', '@douyin-microapp']) {
    fs.symlinkSync(path.join(ROOT, 'node_modules', name), path.join(folder, 'node_modules', name), 'junction')
  }
})
after(() => fs.rmSync(folder, { recursive: true }))

function mistakesOf(pages, options = MODERN) {
  for (const [name, text] of Object.entries(pages)) fs.writeFileSync(path.join(folder, name), text)
  return mistakesIn(folder, Object.keys(pages), options)
}

test('tsc takes pages of the client, the uploader components, large files and H5, and each mistake that they expect', () => {
  assert.deepEqual(mistakesOf({ 'client.mts': CLIENT, 'components.mts': COMPONENTS, 'large.mts': LARGE }), [])
})

test('a project without asynchronous iteration among its libraries is checked, too', () => {
  const text = `
import { createUploader } from './node_modules/oss-direct-upload/index'
export const key = createUploader({ endpoint: 'https://upload.example.com', api: {} }).list().next().then(({ value }) => value.key)
`
  assert.deepEqual(mistakesOf({ 'page.ts': text }, { module: 'commonjs', moduleResolution: 'node10', target: 'es2015', lib: ['es2015'] }), [])
})

test('with what manage.py types writes a misspelt profile or variant fails tsc, and nothing else does', () => {
  const made = spawnSync(process.env.PYTHON || 'python3', [
    'manage.py', 'types', 'local/demo/profiles.toml', '--output', path.join(folder, 'profiles.d.ts'),
  ], { cwd: ROOT, encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  const said = mistakesOf({ 'page.mts': PROFILES + MISTAKES.map(([line]) => `${line}\n`).join('') })
  assert.equal(said.length, MISTAKES.length, said.join('\n'))
  MISTAKES.forEach(([line, word], index) => assert.match(said[index], new RegExp(word), line))
})

for (const [types, line] of [
  ['@mini-types/alipay', 'const api: object = createAlipayApi(my)\n// @ts-expect-error it wants to know the kind of a file\ncreateDouyinApi(my)'],
  ['@douyin-microapp/typings', 'const api: object = createDouyinApi(tt)\n// @ts-expect-error its storage takes no objects\ncreateAlipayApi(tt)'],
]) {
  test(`the platform object that ${types} describes is what its adapter takes`, () => {
    const text = `import { createAlipayApi, createDouyinApi } from './node_modules/oss-direct-upload/platforms'\n${line}\nexport default [api, createAlipayApi, createDouyinApi]\n`
    assert.deepEqual(mistakesOf({ 'platform.ts': text }, { skipLibCheck: true, lib: ['es2020'], module: 'commonjs', types: [types] }), [])
  })
}
