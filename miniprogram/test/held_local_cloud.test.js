'use strict'

/** What is held, against the local cloud: its WeChat looks at each picture, its business commits them. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { startLocalCloud } = require('./local_cloud')
const { createWx } = require('./wx')

const PICTURE = path.join(__dirname, '../../tests/playground/picture.png')
const PATIENCE = 120000

let cloud
let folder
let wx

before(async () => {
  cloud = await startLocalCloud()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'held-'))
  wx = createWx()
})

after(async () => {
  wx.close()
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

/** The local WeChat judges by the name that the phone sends. */
function picture(name = 'good.png') {
  const place = fs.mkdtempSync(path.join(folder, 'album-'))
  const filePath = path.join(place, name)
  fs.copyFileSync(PICTURE, filePath)
  return { filePath, name: 'picture.png', size: fs.statSync(filePath).size, contentType: 'image/png' }
}

const newUploader = (options) => createUploader({ endpoint: cloud.function, api: wx, profile: 'post', backoff: 5, ...options })
const failureOf = (promise) => promise.then((value) => assert.fail(JSON.stringify(value)), (error) => error)

/** Hand receipts to the business, as the page of posts does. */
async function publish(...receipts) {
  const body = JSON.stringify({ text: '', receipts })
  const answer = await fetch(`${cloud.business}/posts`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  assert.equal(answer.status, 200)
  return answer.json()
}

/** Ask until something is decided; WeChat is not waited for. */
async function settled(uploader, receipts, isWaiting = (state) => ['held', 'checking'].includes(state)) {
  let asked = 0
  for (const end = Date.now() + PATIENCE; ;) {
    const found = await uploader.status(receipts)
    if (!found.some(({ state }) => isWaiting(state))) return found
    assert.ok(Date.now() < end, JSON.stringify(found))
    await cloud.release()
    await new Promise((resolve) => { setTimeout(resolve, 50 * (asked += 1)) }) // 60 a minute and upload
  }
}

test('a picture is held, and nobody sees it, until it was committed and has passed', async () => {
  const uploader = newUploader()
  const value = await uploader.upload(picture()).promise
  assert.deepEqual([value.state, value.held, value.confirmed], ['held', true, true])
  const before = await uploader.status(value.receipt)
  assert.deepEqual([before.key, before.state, before.url], [value.key, 'held', null])
  assert.match(before.heldUntil, /^2\d+-.*Z$/)
  assert.equal((await fetch(await uploader.read(value.key))).status, 404)
  await publish(value.receipt)
  const [{ key, state, url }] = await settled(uploader, [value.receipt])
  assert.deepEqual([key, state, url], [value.key, 'published', value.url])
  const stranger = createWx()
  const seen = await fetch(await newUploader({ api: stranger }).read(value.key, { variant: 'thumb' }))
  stranger.close()
  assert.deepEqual([seen.status, seen.headers.get('content-type')], [200, 'image/jpeg'])
})

test('pictures that do not pass, or want a human, are never shown', async () => {
  const uploader = newUploader()
  const files = ['good.png', 'risky-1.png', 'review-1.png'].map((name) => picture(name))
  const values = (await uploader.uploadAll(files)).map(({ value }) => value)
  const receipts = values.map(({ receipt }) => receipt)
  await publish(...receipts)
  const found = await settled(uploader, receipts)
  assert.deepEqual(found.map(({ state, url }) => [state, Boolean(url)]), [['published', true], ['rejected', false], ['review', false]])
  const urls = await uploader.read(values.map(({ key }) => key))
  const statuses = await Promise.all(urls.map(async (url) => (await fetch(url)).status))
  assert.deepEqual(statuses, [200, 404, 404])
  assert.deepEqual(values.map(({ key }) => cloud.holds(`held/${key}`)), [false, false, true])
})

test('what is held is taken back by its user, as often as they like, and by nobody else', async () => {
  const uploader = newUploader()
  const value = await uploader.upload(picture()).promise
  const stranger = createWx()
  const error = await failureOf(newUploader({ api: stranger }).discard(value))
  stranger.close()
  assert.deepEqual([error.code, error.stage], ['forbidden', 'discard'])
  assert.equal(cloud.holds(`held/${value.key}`), true)
  for (const each of [value, value.receipt]) {
    assert.deepEqual(await uploader.discard(each), { key: value.key, state: 'gone' })
  }
  assert.equal(cloud.holds(`held/${value.key}`), false)
  assert.equal((await uploader.status(value.receipt)).state, 'gone')
})

test('what is published is not taken back by its user, who reads why', async () => {
  const uploader = newUploader()
  const { receipt } = await uploader.upload(picture()).promise
  await publish(receipt)
  await settled(uploader, [receipt])
  const error = await failureOf(uploader.discard(receipt))
  assert.deepEqual([error.code, error.message], ['already_published', '文件已经发布，不能撤回。'])
})

test('what was rejected stays so, whoever takes it back', async () => {
  const uploader = newUploader()
  const { receipt } = await uploader.upload(picture('risky-2.png')).promise
  await publish(receipt)
  await settled(uploader, [receipt])
  assert.equal((await uploader.discard(receipt)).state, 'rejected')
})

test('a list of more than twenty has its answers in order, and a forged receipt spoils no other', async () => {
  const uploader = newUploader({ profile: 'note' })
  const { receipt, key } = await uploader.upload(picture()).promise
  const forged = receipt.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))
  const answers = await uploader.status([...Array(11).fill(receipt), forged, ...Array(11).fill(receipt)])
  assert.equal(answers.length, 23)
  assert.deepEqual([answers[0].key, answers[22].state], [key, 'held'])
  assert.deepEqual([answers[11].error.code, answers[11].error.stage], ['forbidden', 'status'])
})

test('an upload that could not be confirmed is taken back all the same', async () => {
  let cut = true
  const request = (options) => {
    if (!(cut && options.url.endsWith('/confirm'))) return wx.request(options)
    setImmediate(options.fail, { errMsg: 'request:fail -101:net::ERR_CONNECTION_RESET' })
    return undefined
  }
  const uploader = newUploader({ api: { ...wx, request }, profile: 'note' })
  const value = await uploader.upload(picture()).promise
  assert.deepEqual([value.receipt, value.held, value.state], [null, true, 'held'])
  cut = false
  assert.equal((await uploader.discard(value)).state, 'gone')
})

test('what is not held has a state as well', async () => {
  const uploader = newUploader({ profile: 'default' })
  const { receipt, state, held } = await uploader.upload(picture()).promise
  assert.deepEqual([state, held, (await uploader.status(receipt)).state], ['stored', false, 'published'])
})

test('the client for large files follows and takes back as well', async () => {
  const uploader = createLargeUploader({ endpoint: cloud.function, api: wx, profile: 'note' })
  const value = await uploader.upload(picture()).promise
  assert.deepEqual([value.held, (await uploader.discard(value)).state], [true, 'gone'])
})
