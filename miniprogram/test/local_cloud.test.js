'use strict'

/** The client, and pages as a user meets them with `make run`, against the local cloud: its function, OSS, STS, WeChat and business, with faults on the way. */

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, mock, test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { createAlipayApi, createDouyinApi } = require('../example/utils/oss-direct-upload/platforms')
const { startLocalCloud } = require('./local_cloud')
const { createMy, createTt } = require('./other_platforms')
const { choices, fails, failureOf, loadPages, pageOf, tagOf, tap, textOf, until } = require('./stage')
const { createWx } = require('./wx')

const FILES = 100
const RATE = 0.05
const MIB = 2 ** 20
const PICTURE = path.join(__dirname, '../../docs/images/example.png') // larger than any thumbnail
const LABELLED = Buffer.from(require('../../tests/vectors/ai_labels.json').files['J1.jpg'].base64, 'base64')
const MOST_LINES = 20 // of a page

let cloud
let folder
let wx
let made = 0
let renderPost
let renderShare

mock.method(console, 'warn', () => {}) // for the developer

before(async () => {
  cloud = await startLocalCloud()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'phone-'))
  await cloud.judge({ delay: 0.2 })
  ;[renderPost, renderShare] = loadPages(createWx(), cloud.function, ['post', 'share'], cloud.business)
  wx = global.wx
  wx.showModal = ({ success }) => success({ confirm: true })
})

after(async () => {
  wx.close()
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

function makeFile(name, bytes) {
  const filePath = path.join(fs.mkdtempSync(path.join(folder, 'album-')), name)
  fs.writeFileSync(filePath, typeof bytes === 'number' ? crypto.randomBytes(bytes) : bytes)
  return { filePath, name, size: fs.statSync(filePath).size }
}

/** The local WeChat judges by the name that the phone sends. */
const picture = (name = 'good.png') => makeFile(name, fs.readFileSync(PICTURE))
const newUploader = (options) => createUploader({ endpoint: cloud.function, api: wx, backoff: 5, ...options })
const isStored = ({ key }, { filePath }) => assert.ok(cloud.object(key).equals(fs.readFileSync(filePath)), key)
const claimsOf = (receipt) => JSON.parse(Buffer.from(receipt.split('.')[1], 'base64url').toString('utf8'))
const sent = (phone, api = 'uploadFile') => phone.platform.calls.filter((call) => call.api === api)

function openPhone(t, options) {
  const phone = createWx(options)
  t.after(phone.close)
  return phone
}

async function ask(url, body) {
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  return { status: answer.status, ...await answer.json() }
}

async function tokenOfBackend() {
  return (await ask(`${cloud.function}/login`, { code: `local-backend-${made += 1}` })).token
}

test(`${FILES} files with ${RATE * 100} % of each fault all end uploaded, byte for byte, once`, async (t) => {
  for (const kind of ['drop', 'answer_lost', 'status_503', 'status_500', 'expired_form']) {
    await cloud.plan(cloud.oss, { kind, rate: RATE })
  }
  // Credentials are kept for an hour, so the few times STS is asked have to hurt.
  for (const kind of ['throttled', 'drop']) await cloud.plan(cloud.sts, { kind, times: 1 })
  for (const kind of ['status_503', 'status_500']) await cloud.plan(cloud.sts, { kind, rate: RATE })
  await cloud.plan(cloud.wechat, { kind: 'busy', times: 1 })
  await cloud.plan(cloud.oss, { kind: 'answer_lost', times: 1 })
  t.after(() => Promise.all([cloud.oss, cloud.sts, cloud.wechat].map(cloud.clear)))
  const before = cloud.stored().length
  const files = Array.from({ length: FILES }, (_, index) => makeFile(`${index}.jpg`, 200 + index * 37))
  const events = []
  const phone = openPhone(t)
  const uploader = newUploader({ api: phone, concurrency: 10, retries: 8 })
  const outcomes = await uploader.uploadAll(files, { onProgress: (event) => events.push(event) })

  assert.deepEqual(outcomes.filter(({ status }) => status !== 'fulfilled').map(({ reason }) => reason), [])
  outcomes.forEach(({ value }, index) => {
    isStored(value, files[index])
    assert.deepEqual([value.confirmed, claimsOf(value.receipt).key], [true, value.key])
  })
  assert.equal(new Set(outcomes.map(({ value }) => value.key)).size, FILES)
  assert.equal(cloud.stored().length - before, FILES)
  assert.deepEqual([events.at(-1).progress, events.at(-1).finished], [100, FILES])
  const recovered = outcomes.filter(({ value }) => value.statusCode === 409).length
  assert.ok(sent(phone).length > FILES && recovered > 0, 'the faults did not strike')
  assert.equal(phone.platform.mostInFlight, 10)
})

test('a file that its profile does not take is refused before it is sent, and one that is not as said by OSS', async () => {
  const uploader = newUploader({ profile: 'avatar' })
  const earlier = sent(wx).length
  for (const [change, code] of [
    [{ size: 3 * MIB }, 'too_large'], [{ contentType: 'application/pdf' }, 'unsupported_type'], [{ profile: 'nothing' }, 'unknown_profile'],
    [{ profile: 'legacy' }, 'bad_answer'],
  ]) {
    const error = await failureOf(uploader.upload({ ...makeFile('me.jpg', 100), ...change }).promise)
    assert.deepEqual([error.code, error.stage], [code, 'sign'])
    if (code === 'bad_answer') assert.match(error.advice, /\{filename\}/)
  }
  assert.equal(sent(wx).length, earlier)
  const error = await failureOf(uploader.upload({ ...makeFile('me.jpg', 100), size: 99 }).promise)
  assert.deepEqual([error.code, error.ossCode], ['bad_file', 'EntityTooLarge'])
  assert.equal((await failureOf(newUploader().confirm(error.ticket))).code, 'not_uploaded')
})

// --- in parts

const film = (size) => ({ ...makeFile('film.mp4', size), profile: 'video' })
const newLarge = (api, options) => createLargeUploader({ endpoint: cloud.function, api, backoff: 5, retries: 10, ...options })
const puts = (phone) => sent(phone, 'request').filter(({ options }) => options.method === 'PUT').length

test('with 30 % of the requests to OSS failing a large file arrives whole, with a receipt of what OSS says', async (t) => {
  const [phone, file] = [openPhone(t), film(24 * MIB + 1)]
  for (const kind of ['drop', 'answer_lost', 'status_500', 'expired_url']) await cloud.plan(cloud.oss, { kind, rate: 0.075, on: ['UploadPart'] })
  await cloud.plan(cloud.oss, { kind: 'answer_lost', times: 1, on: ['UploadPart'] })
  t.after(() => cloud.clear(cloud.oss))
  const value = await newLarge(phone).upload(file).promise
  isStored(value, file)
  assert.ok(puts(phone) > 25, 'the faults did not strike')
  assert.deepEqual([value.data.size, value.data.mimeType, value.data.state], [file.size, 'video/mp4', 'stored'])
  assert.equal(claimsOf(value.receipt).seen, true)
})

/** Upload, close the app in the middle, and choose the same film under another path. */
async function chooseAgain(t) {
  const [first, second, file] = [openPhone(t), openPhone(t), film(20 * MIB)]
  const closed = newLarge(first).upload({ ...file, onProgress: ({ progress }) => { if (progress >= 40) first.platform.hide(0) } })
  await until(() => first.platform.hidden)
  first.storage.forEach((value, key) => second.storage.set(key, value))
  const again = { ...makeFile('again.mp4', fs.readFileSync(file.filePath)), profile: 'video' }
  const { key } = await newLarge(second).upload(again).promise
  closed.abort()
  await failureOf(closed.promise)
  return { key, file, sent: puts(second) }
}

test('another start of the app goes on with what OSS has, by another path', async (t) => {
  const found = await chooseAgain(t)
  isStored(found, found.file)
  assert.ok(found.sent <= 13, `${found.sent} parts were sent again or at all`)
})

test('an upload that is aborted leaves no parts behind', async (t) => {
  const [phone, file] = [openPhone(t), film(12 * MIB)]
  const task = newLarge(phone).upload({ ...file, onProgress: ({ progress }) => { if (progress >= 40) task.abort() } })
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await until(() => phone.platform.calls.every(({ settled }) => settled))
  const { options } = sent(phone, 'request').find(({ options: { url } }) => url.endsWith('/multipart-abort'))
  assert.equal((await ask(`${cloud.function}/multipart-parts`, JSON.parse(options.data))).status, 410)
})

// --- Alipay and Douyin

for (const [name, open, adapt, parts] of [
  ['Alipay', createMy, ({ my }) => createAlipayApi(my), 0], ['Douyin', createTt, ({ tt }) => createDouyinApi(tt), 6],
]) {
  test(`${name} uploads, hears a callback and refusals, and goes on after a lost answer`, async (t) => {
    const platform = open()
    t.after(platform.close)
    t.after(() => cloud.clear(cloud.oss))
    const uploader = newUploader({ api: adapt(platform), getToken: tokenOfBackend, profile: 'avatar' })
    const { data, receipt } = await uploader.upload(makeFile('me.jpg', 300)).promise
    assert.deepEqual([data.status, data.size, typeof receipt], ['ok', 300, 'string'])
    const large = await failureOf(uploader.upload({ ...makeFile('large.jpg', 100), size: 3 * MIB }).promise)
    assert.deepEqual([large.code, large.message], ['too_large', '文件太大，最大 2 MB。'])
    const other = await failureOf(uploader.upload({ ...makeFile('other.jpg', 100), size: 99 }).promise)
    assert.deepEqual([other.code, other.ossCode, other.statusCode], ['bad_file', 'EntityTooLarge', 400])
    await cloud.plan(cloud.oss, { kind: 'answer_lost', times: 1 })
    const file = { ...makeFile('lost.mp4', 500), profile: 'video', fileType: 'video' }
    const value = await uploader.upload(file).promise
    isStored(value, file)
    assert.deepEqual([value.confirmed, value.statusCode, value.state], [true, 409, 'stored'])
  })

  test(`${name} sends a large file ${parts ? 'in parts' : 'by a form, for its files are not read in pieces'}, and has a storage`, async (t) => {
    const platform = open()
    t.after(platform.close)
    const [api, file] = [adapt(platform), film(5 * MIB + 5)]
    isStored(await newLarge(api, { getToken: tokenOfBackend }).upload(file).promise, file)
    assert.equal(puts(platform.wx), parts)
    api.setStorageSync('unfinished', { ticket: 'a' })
    assert.deepEqual(api.getStorageSync('unfinished'), { ticket: 'a' })
    api.removeStorageSync('unfinished')
    assert.ok(!api.getStorageSync('unfinished'))
  })
}

test('one function lets in WeChat, Alipay and Douyin, each mini-program by its own AppID', async (t) => {
  const own = await startLocalCloud({ options: ['--caller-auth', 'several'] })
  t.after(own.stop)
  const owners = []
  for (const api of [openPhone(t), alipay(t), douyin(t)]) {
    const file = makeFile('me.jpg', 300)
    const uploader = newUploader({ endpoint: own.function, api, profile: 'avatar' })
    const { key } = await uploader.upload(file).promise
    assert.ok(own.object(key).equals(fs.readFileSync(file.filePath)))
    owners.push(key.split('/')[1])
  }
  assert.equal(new Set(owners).size, 3)
  const other = createWx({ appId: 'wx9999999999999999' })
  t.after(other.close)
  await fails(newUploader({ endpoint: own.function, api: other }).upload(makeFile('me.jpg', 300)).promise, { code: 'unauthorized', stage: 'login' })
})

function alipay(t) {
  const { my, close } = createMy()
  t.after(close)
  return createAlipayApi(my)
}

function douyin(t) {
  const { tt, close } = createTt()
  t.after(close)
  return createDouyinApi(tt)
}

test('Douyin may answer in text', async (t) => {
  const { tt, close } = createTt({ asBytes: false })
  t.after(close)
  const uploader = newUploader({ api: createDouyinApi(tt), getToken: tokenOfBackend, profile: 'avatar' })
  assert.equal((await uploader.upload(makeFile('text.jpg', 20)).promise).data.status, 'ok')
})

// --- phones that have not updated yet

test('a client of before uploads, reads, lists, deletes and is refused by the function of today', async () => {
  const before = fs.mkdtempSync(path.join(folder, 'client-'))
  execFileSync('tar', ['-xzf', path.join(__dirname, '../../tests/vectors/client-0.2.0.tar.gz'), '-C', before])
  const [old, oldParts] = [require(before), require(path.join(before, 'parts'))]
  const options = { endpoint: cloud.function, api: wx, backoff: 5 }
  const [uploader, file] = [old.createUploader({ ...options, profile: 'avatar' }), makeFile('me.jpg', 500)]
  const value = await uploader.upload(file).promise
  isStored(value, file)
  assert.deepEqual([value.confirmed, (await uploader.status(value.receipt)).state], [true, 'published'])
  const [url] = await uploader.read([value.key], { variant: 'thumb' })
  assert.match(url, /^http/)
  assert.ok((await uploader.list().page()).items.some(({ key }) => key === value.key))
  assert.deepEqual((await uploader.delete([value.key])).map(({ state }) => state), ['gone'])
  assert.equal((await failureOf(uploader.upload({ ...file, profile: 'none' }).promise)).code, 'unknown_profile')
  const big = film(3 * MIB)
  isStored(await oldParts.createLargeUploader(options).upload(big).promise, big)
  const held = old.createUploader({ ...options, profile: 'post' })
  const { receipt } = await held.upload(picture()).promise
  assert.equal((await held.discard(receipt)).state, 'gone')
})

// --- pages of the example

function choose(tag, names, size = 0) {
  return choices(wx, tag, names.map((name) => {
    const tempFilePath = path.join(folder, name)
    fs.copyFileSync(PICTURE, tempFilePath)
    if (size) fs.appendFileSync(tempFilePath, Buffer.alloc(size, 'x'))
    return { tempFilePath, size: fs.statSync(tempFilePath).size, fileType: 'image' }
  }))
}

const words = (tag) => tag.data.items.map(({ word }) => word).join()

test('of three pictures of a post one is published, one refused, one left to a human, and its user reads each', async (t) => {
  const page = renderPost()
  t.after(() => page.detach())
  await page.instance.onShow()
  const draft = tagOf(page, '#draft')
  await choose(draft, ['good.png', 'risky-1.png', 'review-1.png'])
  await until(() => draft.data.items.every(({ state }) => state === 'held'), page)
  page.instance.write({ detail: { value: '海边' } })
  await tap(page, '.button')
  await until(() => page.instance.data.sent && !page.instance.data.sending, page)
  await page.instance.again()
  const shown = () => tagOf(page, '.post .pictures')
  await until(() => /还要人工审核/.test(page.dom.textContent) && /^,未通过,/.test(words(shown())), page)
  assert.deepEqual(textOf(page, '.tag'), ['审核中'])
  await until(() => shown().data.items[0].src, page)
  const [{ src }, refused, waiting] = shown().data.items
  assert.deepEqual([(await fetch(src)).headers.get('content-type'), refused.src, waiting.src], ['image/jpeg', '', ''])
})

test('a page of at most twenty lines publishes nine pictures, shows which one was refused, and says why one fails', async (t) => {
  const lines = ['js', 'wxml'].flatMap((kind) => fs.readFileSync(`${pageOf('share')}.${kind}`, 'utf8').split('\n').filter((line) => line.trim()))
  assert.ok(lines.length <= MOST_LINES, `${lines.length} lines`)
  const page = renderShare()
  t.after(() => page.detach())
  const tag = tagOf(page, '#pictures')
  const publish = async () => {
    await tap(page, '.button')
    await until(() => page.instance.data.message, page)
    return page.instance.data.message
  }
  await choose(tag, ['risky-2.png', ...Array.from({ length: 8 }, (_, index) => `good-${index}.png`)])
  assert.match(await publish(), /^已发布/)
  await until(() => words(tag) === `未通过${','.repeat(8)}`, page)
  tag.clear()
  page.instance.setData({ message: '' })
  await choose(tag, ['large.png'], 11 * 1024 ** 2)
  assert.match(await publish(), /^文件太大/)
})

test('a labelled picture has its notice, and so has one that its user declared', async (t) => {
  const page = renderShare()
  t.after(() => page.detach())
  const tag = tagOf(page, '#pictures')
  const shown = () => tag.data.items.map(({ state, aiNotice }) => `${state} ${aiNotice}`).join()
  const file = path.join(folder, 'labelled.jpg')
  fs.writeFileSync(file, LABELLED)
  await choices(wx, tag, [{ tempFilePath: file, size: LABELLED.length, fileType: 'image' }])
  await until(() => shown() === 'held 属于 AI 生成合成内容', page)
  tag.declare()
  await choose(tag, ['good-9.png'])
  await until(() => shown() === 'held 属于 AI 生成合成内容,held 可能为 AI 生成合成内容', page)
})
