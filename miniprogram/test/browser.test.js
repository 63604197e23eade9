'use strict'

/** What H5 pages get instead of wx: large files by File, fetch and a storage of the browser, and its network. The playground's tests use it in a real one. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createBrowserApi, filesFrom } = require('../example/utils/oss-direct-upload/browser')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { openCloud, FUNCTION, LEAST_PART } = require('./parts_cloud')
const { failureOf, fileOf, until, fails } = require('./stage')

const SIZE = 12 * LEAST_PART + 77

/** No answer until it is aborted, as fetch does it. */
const silence = (signal) => new Promise((_, reject) => {
  signal.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))
})

/** A page with one file; `fault(url, signal)` may answer instead, or never. */
function openPage(t, fault = () => undefined) {
  const cloud = openCloud({ now: Date.now })
  const bodies = []
  t.mock.method(globalThis, 'fetch', async (url, { method, headers, body, signal }) => {
    bodies.push(body)
    const answer = fault(url, signal)
    if (answer) return answer
    const { statusCode, data, header } = cloud.handle({ url, method, header: headers, data: body, began: Date.now() })
    return new Response(data || null, { status: statusCode, headers: header })
  })
  const kept = new Map()
  const storage = {
    getItem: (key) => kept.get(key) || null, setItem: (key, value) => kept.set(key, value), removeItem: (key) => kept.delete(key),
  }
  const window = new EventTarget()
  Object.assign(globalThis, { window })
  t.after(() => { delete globalThis.window })
  const open = () => createLargeUploader({ endpoint: FUNCTION, api: createBrowserApi({ storage }), user: 'li', partsFrom: 0, backoff: 1 })
  const bytes = fileOf(SIZE).read(0, SIZE)
  const choose = () => filesFrom([new File([bytes], 'film.mp4', { type: 'video/mp4' })])[0]
  return { cloud, open, choose, bytes, bodies, kept }
}

test('a File of a page arrives whole, in parts that are read one by one', async (t) => {
  const page = openPage(t)
  const value = await page.open().upload(page.choose()).promise
  assert.ok(page.cloud.objects.get(value.key).equals(page.bytes))
  assert.deepEqual([page.cloud.calls[0].body.filename, page.cloud.calls[0].body.size], ['film.mp4', SIZE])
  assert.ok(page.bodies.every((body) => typeof body === 'string' || body.byteLength <= LEAST_PART))
})

test('a Blob that was stored is stored once more', async (t) => {
  const page = openPage(t)
  const blob = () => ({ filePath: new Blob([page.bytes]), name: 'film.mp4' })
  await page.open().upload(blob()).promise
  await page.open().upload(blob()).promise
  assert.equal(page.cloud.uploads.size, 2)
})

test('abort ends what fetch is sending', async (t) => {
  const signals = []
  const page = openPage(t, (url, signal) => {
    if (!url.includes('partNumber')) return undefined
    signals.push(signal)
    return silence(signal)
  })
  const task = page.open().upload(page.choose())
  await until(() => signals.length === 3)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  assert.ok(signals.every(({ aborted }) => aborted))
  await until(() => page.cloud.calls.at(-1).route === '/multipart-abort')
})

test('a file that the page may no longer read is told as unreadable', async (t) => {
  const page = openPage(t)
  const file = page.choose()
  file.filePath.slice = () => ({ arrayBuffer: async () => { throw new DOMException('The requested file could not be read.', 'NotReadableError') } })
  await fails(page.open().upload(file).promise, { code: 'file_unreadable', detail: 'The requested file could not be read.' })
})

function browserOf(t) {
  const window = new EventTarget()
  const before = ['window', 'navigator'].map((name) => [name, Object.getOwnPropertyDescriptor(globalThis, name)])
  const navigator = { onLine: true }
  Object.defineProperty(globalThis, 'window', { value: window, configurable: true })
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true })
  t.after(() => before.forEach(([name, descriptor]) => {
    if (descriptor) Object.defineProperty(globalThis, name, descriptor)
    else delete globalThis[name]
  }))
  const turn = (onLine) => {
    navigator.onLine = onLine
    window.dispatchEvent(new Event(onLine ? 'online' : 'offline'))
  }
  return { turn }
}

test('a session of a browser, which tells no users apart, ends with the page unless a storage is given', () => {
  assert.deepEqual(Object.keys(createBrowserApi()).filter((name) => /Storage/.test(name)), [])
  const kept = new Map()
  const storage = {
    getItem: (key) => kept.get(key) || null,
    setItem: (key, value) => kept.set(key, value),
    removeItem: (key) => kept.delete(key),
  }
  const api = createBrowserApi({ storage })
  assert.equal(api.getStorageSync('a'), null)
  api.setStorageSync('a', { token: 'b' })
  assert.deepEqual(api.getStorageSync('a'), { token: 'b' })
  api.removeStorageSync('a')
  assert.equal(kept.size, 0)
})

test('a browser tells of its network, and stops when it is asked to', (t) => {
  const { turn } = browserOf(t)
  const [one, other] = [[], []]
  const api = createBrowserApi()
  const listener = ({ isConnected }) => one.push(isConnected)
  api.onNetworkStatusChange(listener)
  api.onNetworkStatusChange(({ isConnected }) => other.push(isConnected))
  turn(false)
  turn(true)
  api.offNetworkStatusChange(listener)
  turn(false)
  assert.deepEqual([one, other], [[false, true], [false, true, false]])
})

test('a login that the page refuses is a failed login', async () => {
  const api = createBrowserApi({ login: () => { throw new Error('no session') } })
  const { errMsg } = await new Promise((resolve) => { api.login({ fail: resolve }) })
  assert.equal(errMsg, 'login:fail no session')
})
