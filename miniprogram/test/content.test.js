'use strict'

/** content.js, and the parts of an earlier run: found again by content, skipped if they are these bytes, else sent. */

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const { test } = require('node:test')
const { createBrowserApi } = require('../example/utils/oss-direct-upload/browser')
const { etagIn, md5, nameOf } = require('../example/utils/oss-direct-upload/content')
const { openParts, fileOf, isStored, routes, numbers, LEAST_PART, testsOn } = require('./stage')

const HOUR = 3600000
const FILM = 'wxfile://tmp_film.mp4'
const OTHER = 'wxfile://tmp_chosen_again.mp4'
const COUNT = 20
const PAIRS = Number(process.env.PAIRS) || 40 // 1,000 take a minute
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (list) => [...list].sort((a, b) => a - b)
const BETWEEN = Math.floor(0.4 * COUNT * LEAST_PART) // no sample has it
const bytesOf = (bytes) => ({ size: bytes.length, read: async (at, length) => Uint8Array.from(bytes.subarray(at, at + length)).buffer })
const nameOfBytes = (bytes) => nameOf(bytesOf(bytes))

test('the names of the vectors', async () => {
  const squares = Buffer.from(Array.from({ length: 1000000 }, (_, index) => (index * index) % 251))
  assert.equal(await nameOfBytes(squares), '1000000-44753A62B1A07F3837515C17A41B0F30')
  assert.equal(await md5(Uint8Array.from(squares).buffer), 'E48C3207DD4C9D0EE43AD2CF69BF916F')
  assert.equal(await nameOfBytes(Buffer.from(upTo(10).map((each) => each - 1))), '10-F7FDF66529F62E642C96BDFB3C5D003C')
})

test('MD5 is that of Node, at every length around a block and a slice', async () => {
  for (const length of [0, 1, 55, 56, 57, 63, 64, 65, 119, 120, 128, 2 ** 19, 2 ** 19 + 1, 2 ** 20 + 60]) {
    const bytes = crypto.randomBytes(length)
    assert.equal(await md5(Uint8Array.from(bytes).buffer), crypto.createHash('md5').update(bytes).digest('hex').toUpperCase())
  }
})

test('a name changes with a sample and with the size, and with nothing between', async () => {
  const bytes = crypto.randomBytes(1000000)
  const name = await nameOfBytes(bytes)
  const changed = (at) => { const other = Buffer.from(bytes); other[at] ^= 1; return nameOfBytes(other) }
  assert.equal(await changed(100000), name)
  for (const at of [0, 250000, 500000, 750000, 999999]) assert.notEqual(await changed(at), name)
  assert.notEqual(await nameOfBytes(bytes.subarray(1)), name)
})

test('an ETag is read whatever its case, its quotes and its header', () => {
  for (const said of [{ header: { ETag: '"a1"' } }, { headers: { etag: 'A1' } }, { etag: '"a1"' }, { header: { Etag: 'a1' }, etag: 'b' }]) assert.equal(etagIn(said), 'A1')
  assert.equal(etagIn({ header: {} }), '')
})

/** What a platform gives the client: `phone` is that of WeChat, and stays the one in use. */
const PLATFORMS = {
  'a mini-program': (stage, phone) => ({ api: phone }),
  'uni-app as a mini-program': (stage, phone) => uniOf('mp-weixin', phone),
  'an H5 page': ({ files, storage }) => ({
    api: createBrowserApi({ storage: { getItem: (key) => storage.get(key) || null, setItem: (key, text) => storage.set(key, text), removeItem: (key) => storage.delete(key) } }),
    chosen: (path) => Object.assign(blobOf(files[path]), { name: path, lastModified: 7 }),
  }),
  'uni-app on H5': (stage, { request, uploadFile, getStorageSync, setStorageSync, removeStorageSync }) => (
    uniOf('web', { request, uploadFile, getStorageSync, setStorageSync, removeStorageSync })
  ),
}

async function uniOf(uniPlatform, api) {
  const { uniApi } = await import('../example/utils/oss-direct-upload/uploader/uni_api.mjs')
  globalThis.uni = { ...api, getSystemInfoSync: () => ({ uniPlatform }) }
  return { api: uniApi() }
}

const blobOf = ({ size, read }) => {
  const slice = (from, to) => ({ arrayBuffer: async () => new Uint8Array(read(from, Math.min(to, size) - from)).buffer })
  return { size, slice, arrayBuffer: () => assert.fail('a large file is never read whole') }
}

/** The app on a platform; a page's fetch goes by the network of the phone. */
async function openOn(t, platform, stage) {
  t.mock.method(globalThis, 'fetch', (url, { headers: header, body: data, ...options } = {}) => new Promise((resolve, reject) => {
    if (stage.files[url]) { resolve({ blob: async () => blobOf(stage.files[url]) }); return }
    const success = (answer) => resolve({ status: answer.statusCode, text: async () => answer.data, headers: Object.entries(answer.header) })
    stage.phone.api.request({ ...options, url, header, data, success, fail: ({ errMsg }) => reject(new TypeError(errMsg)) })
  }))
  Object.assign(globalThis, { window: new EventTarget() })
  t.after(() => ['window', 'uni'].forEach((name) => delete globalThis[name]))
  const phone = Object.fromEntries(Object.keys(stage.phone.api).map((name) => [name, (...values) => stage.phone.api[name](...values)]))
  const { api, chosen = (path) => path } = await PLATFORMS[platform](stage, phone)
  const { open, upload } = stage
  Object.assign(stage, { open: () => open({ api }), upload: ({ filePath = FILM, ...more }) => upload({ ...more, filePath: chosen(filePath) }) })
  stage.open()
}

/** Upload until so much is there; the app ends, and the film is chosen again under another path. */
async function chooseAgain(t, { percent = 50, other = {}, size = COUNT * LEAST_PART + 1000, platform, ...options } = {}) {
  const stage = openParts(t, { size, ...options })
  if (platform) await openOn(t, platform, stage)
  stage.upload({ onProgress: ({ progress }) => { if (progress >= percent) stage.phone.kill() } })
  await stage.time.pass(HOUR)
  stage.before = sorted(numbers(stage))
  stage.cloud.puts.length = stage.cloud.calls.length = 0
  stage.files[OTHER] = fileOf(size, { changed: 2, ...other })
  stage.open()
  stage.again = (more) => stage.time.run(stage.upload({ filePath: OTHER, name: undefined, size, ...more }).promise)
  return stage
}

const onChosenAgain = testsOn(chooseAgain)

// Over 100 MB a mini-program reads by a descriptor; a page always reads alike.
for (const [platform, mib] of [['a mini-program', 200], ['uni-app as a mini-program', 104], ['an H5 page', 40], ['uni-app on H5', 40]]) {
  test(`${platform}: a video of ${mib} MB that is chosen again under another path goes on, and no finished part travels again`, async (t) => {
    const MIB = 2 ** 20
    const profiles = { default: { partSize: MIB, maxSize: 2 ** 40, parts: true } }
    const stage = await chooseAgain(t, { platform, size: mib * MIB, percent: 15, cloud: { profiles } })
    isStored(stage, await stage.again(), OTHER)
    assert.ok(stage.before.length >= 0.15 * mib)
    assert.deepEqual(sorted([...stage.before, ...numbers(stage)]), upTo(mib))
    assert.equal(stage.cloud.uploads.size, 1)
    assert.ok(stage.events.every(({ progress }) => progress >= 14), 'progress begins where it was')
  })
}

test('of more than a thousand stored parts every page is asked for', async (t) => {
  const stage = await chooseAgain(t, { size: 2100 * 4096, percent: 97, cloud: { leastPart: 4096, profiles: { default: { partSize: 4096, maxSize: 2 ** 40, parts: true } } } })
  await stage.again()
  assert.deepEqual(sorted([...stage.before, ...numbers(stage)]), upTo(2100))
  assert.deepEqual(stage.cloud.calls.filter(({ body }) => body.stored).map(({ body }) => body.storedAfter), [undefined, 1000, 2000])
})

onChosenAgain('another video of equal size and samples is no mixture: what differs is sent again', { percent: 80, other: { edits: [BETWEEN] } }, async (stage) => {
  isStored(stage, await stage.again(), OTHER)
  const changed = Math.floor(BETWEEN / LEAST_PART) + 1
  assert.ok(stage.before.includes(changed))
  assert.deepEqual(sorted([...stage.before.filter((each) => each !== changed), ...numbers(stage)]), upTo(COUNT + 1))
  assert.equal(stage.cloud.uploads.size, 1)
})

onChosenAgain('while what differs is under way nobody asks for it again', { percent: 97, other: { edits: [BETWEEN] } }, async (stage) => {
  stage.phone.bytesPerSecond = 2 ** 12 // half a minute a part
  isStored(stage, await stage.again(), OTHER)
  assert.ok(numbers(stage).includes(Math.floor(BETWEEN / LEAST_PART) + 1))
  assert.ok(routes(stage).length < 10, `${routes(stage).length} requests`)
})

test(`of ${PAIRS} pairs with equal size and samples, but other bytes, none becomes a mixture`, async (t) => {
  let seed = 7
  const random = (most) => { seed = (seed * 48271) % 2147483647; return seed % most }
  const size = 6 * LEAST_PART + 1000
  const samples = [0, 0.25, 0.5, 0.75].map((part) => Math.floor(part * size)).concat(size - 65536)
  const isSampled = (at) => samples.some((start) => at >= start && at < start + 65536)
  const stage = openParts(t, { size })
  for (let pair = 0; pair < PAIRS; pair += 1) {
    const edits = Array.from({ length: 1 + random(3) }, () => random(size)).filter((at) => !isSampled(at))
    stage.files[FILM] = fileOf(size, { seed: pair })
    stage.files[OTHER] = fileOf(size, { seed: pair, edits, changed: 2 })
    const most = 10 + random(80)
    stage.upload({ onProgress: ({ progress }) => { if (progress >= most) stage.phone.kill() } })
    await stage.time.pass(60000)
    stage.open()
    isStored(stage, await stage.time.run(stage.upload({ filePath: OTHER }).promise), OTHER)
    for (const map of [stage.cloud.objects, stage.cloud.uploads, stage.cloud.tickets]) map.clear()
    stage.cloud.puts.length = stage.cloud.calls.length = 0
  }
})

for (const [name, cloud] of [['an encrypted bucket, whose ETags are no MD5s', { encrypted: true }], ['a function that lists nothing', { lists: false }]]) {
  onChosenAgain(`${name}: nothing is skipped, each part is sent once more, and it ends`, { cloud }, async (stage) => {
    isStored(stage, await stage.again(), OTHER)
    assert.deepEqual(sorted(numbers(stage)), upTo(COUNT + 1))
    assert.equal(stage.cloud.uploads.size, 1)
    assert.ok(routes(stage).length < 10, routes(stage).join())
  })
}

test('in an encrypted bucket the first part that is sent says so, and the rest is not read twice', async (t) => {
  const stage = await chooseAgain(t, { cloud: { encrypted: true }, percent: 20, concurrency: 2 })
  await stage.again()
  assert.ok(stage.phone.reads.length <= COUNT + 1 + 3, `${stage.phone.reads.length} reads`)
})

onChosenAgain('where all parts are stored, all are compared and none is sent', { percent: 99 }, async (stage) => {
  stage.before = stage.before.length
  isStored(stage, await stage.again(), OTHER)
  assert.equal(stage.before + numbers(stage).length, COUNT + 1)
})

test('a part of the earlier run that arrives late is compared before the end', async (t) => {
  const [count, late] = [60, 58] // not in the first window of URLs
  const size = count * LEAST_PART + 1000
  const stage = await chooseAgain(t, { size, percent: 30, other: { edits: [(late - 1) * LEAST_PART + 5] } })
  const [upload] = stage.cloud.uploads.values()
  const bytes = fileOf(size).read((late - 1) * LEAST_PART, LEAST_PART)
  stage.phone.fault = ({ method }) => {
    if (method === 'PUT' && !upload.parts.has(late)) upload.parts.set(late, { size: LEAST_PART, bytes, etag: crypto.createHash('md5').update(bytes).digest('hex').toUpperCase() })
  }
  isStored(stage, await stage.again(), OTHER)
  assert.equal(stage.cloud.objects.size, 1, 'no mixture is ever completed')
})

for (const [name, other, objects] of [['the same video', {}, 1], ['another video of equal size and samples', { edits: [BETWEEN] }, 2]]) {
  test(`an upload that was completed as the app was closed is that of ${name}: ${objects} objects`, async (t) => {
    const size = COUNT * LEAST_PART + 1000
    const stage = openParts(t, { size })
    stage.phone.fault = ({ url }) => { if (url.endsWith('complete')) setTimeout(() => stage.phone.kill(), 50) }
    stage.upload()
    await stage.time.pass(HOUR)
    assert.equal(stage.cloud.objects.size, 1)
    stage.files[OTHER] = fileOf(size, { changed: 2, ...other })
    stage.open()
    isStored(stage, await stage.time.run(stage.upload({ filePath: OTHER }).promise), OTHER)
    assert.equal(stage.cloud.objects.size, objects)
  })
}

test('what an earlier version kept by its path is forgotten', async (t) => {
  const stage = openParts(t)
  const old = 'oss-direct-upload parts https://function.test'
  stage.storage.set(old, '{"default 1 wxfile://a.mp4 1":{"ticket":"x"}}')
  stage.open()
  assert.ok(!stage.storage.has(old))
})
