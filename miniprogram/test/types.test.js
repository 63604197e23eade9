'use strict'

/** The types, as the programs of others meet them: by the package's name and by the pasted files. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { mistakesIn } = require('./type_check')

const PACKAGE = path.join(__dirname, '../example/utils/oss-direct-upload')

const PAGE = `
import { createUploader } from 'CLIENT'
import type { CallbackAnswer, ErrorCode, OssUploadError, State, Uploaded } from 'CLIENT'

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

/** A folder with the package installed and pasted, and this page. */
function project(t, name, page) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'types-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  fs.cpSync(PACKAGE, path.join(folder, 'node_modules/oss-direct-upload'), { recursive: true })
  fs.cpSync(PACKAGE, path.join(folder, 'pasted'), { recursive: true })
  fs.writeFileSync(path.join(folder, name), page)
  return folder
}

for (const [name, moduleResolution, client] of [
  ['page.mts', 'node16', 'oss-direct-upload'],
  ['page.cts', 'node16', 'oss-direct-upload'],
  ['page.ts', 'bundler', 'oss-direct-upload'],
  ['page.ts', 'bundler', './pasted/index.mjs'],
]) {
  test(`${name} that imports ${client} the ${moduleResolution} way is checked`, (t) => {
    const folder = project(t, name, PAGE.replaceAll('CLIENT', client))
    assert.deepEqual(mistakesIn(folder, [name], { module: moduleResolution === 'node16' ? 'node16' : 'esnext', moduleResolution }), [])
  })
}

test('a project without asynchronous iteration among its libraries is checked, too', (t) => {
  const folder = project(t, 'page.ts', `
import { createUploader } from './pasted/index'
export const key = createUploader({ endpoint: 'https://upload.example.com', api: {} }).list().next().then(({ value }) => value.key)
`)
  assert.deepEqual(mistakesIn(folder, ['page.ts'], { module: 'commonjs', moduleResolution: 'node10', target: 'es2015', lib: ['es2015'] }), [])
})

test("the uploader components take the names of one's own profiles, and no other", (t) => {
  const folder = project(t, 'page.mts', `
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
`)
  assert.deepEqual(mistakesIn(folder, ['page.mts'], { module: 'node16' }), [])
})

test('the types of the browser, of English and of large files are found as well', (t) => {
  const folder = project(t, 'page.mts', `
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
`)
  assert.deepEqual(mistakesIn(folder, ['page.mts'], { lib: ['es2022', 'dom'], module: 'node16' }), [])
})
