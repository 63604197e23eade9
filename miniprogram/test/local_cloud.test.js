'use strict'

/** The client against the local cloud: its function, OSS, STS, WeChat and business, with faults on the way. */

const assert = require('node:assert/strict')
const { execFileSync } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { createAlipayApi, createDouyinApi } = require('../example/utils/oss-direct-upload/platforms')
const { startLocalCloud } = require('./local_cloud')
const { createMy, createTt } = require('./other_platforms')
const { failureOf, until } = require('./stage')
const { createWx } = require('./wx')

const FILES = 100
const RATE = 0.05
const MIB = 2 ** 20
const PICTURE = path.join(__dirname, '../../docs/images/example.png') // larger than any thumbnail
const LABELLED = require('../../tests/vectors/ai_labels.json').files

let cloud
let folder
let wx
let made = 0

before(async () => {
  cloud = await startLocalCloud()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'phone-'))
  wx = createWx()
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

test("a user's own files are listed page by page and deleted, and nobody else's", async () => {
  const [mine, other] = ['owner', 'other'].map((name) => {
    const login = ({ success }) => success({ code: `local-${name}-${crypto.randomUUID()}` })
    return newUploader({ api: { ...wx, login }, profile: 'avatar', user: name })
  })
  const files = Array.from({ length: 5 }, (_, index) => makeFile(`own-${index}.jpg`, 100 + index))
  const keys = (await mine.uploadAll(files)).map(({ value }) => value.key).sort()
  const { key: foreign } = await other.upload(makeFile('foreign.jpg', 50)).promise
  const found = []
  for await (const file of mine.list({ limit: 2, variant: 'thumb' })) found.push(file)
  assert.deepEqual(found.map(({ key }) => key), keys)
  assert.ok(found.every(({ size, etag, lastModified, url }) => size >= 100 && etag && Date.parse(lastModified) > Date.now() - 60000 && /thumb|resize/.test(url)))
  const results = await mine.delete([...keys, foreign])
  assert.deepEqual(results.map(({ state, error }) => state || error.code), [...Array(5).fill('gone'), 'forbidden'])
  assert.deepEqual([keys.filter(cloud.holds), cloud.holds(foreign)], [[], true])
  assert.deepEqual(await mine.list().page(), { items: [], done: true })
})

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

test('an upload has a receipt of what OSS says, with the context that the page gave', async () => {
  const file = { ...makeFile('photo.jpg', 700), context: { order: 17, 备注: '合影' } }
  const { key, uploadId, receipt, confirmed, data } = await newUploader().upload(file).promise
  const claims = claimsOf(receipt)
  assert.deepEqual([confirmed, data.state, data.size, data.mimeType], [true, 'stored', 700, 'image/jpeg'])
  assert.deepEqual([claims.seen, claims.key, claims.jti, claims.size, claims.profile], [true, key, uploadId, 700, 'default'])
  assert.deepEqual([claims.context, (await newUploader().status(receipt)).state], [{ order: 17, 备注: '合影' }, 'published'])
})

test('the label of a file and what a user declares are told by the upload, its state and its receipt', async () => {
  const uploader = newUploader({ profile: 'post' })
  const labelled = (name) => makeFile(name, Buffer.from(LABELLED[name].base64, 'base64'))
  for (const [name, aiDeclared, label, source] of [
    ['J1.jpg', false, 1, 'metadata'], ['P1.png', true, 1, 'metadata'], ['W1.webp', false, 1, 'metadata'],
    ['J0.jpg', true, 2, 'declared'], ['J5.jpg', false, null, 'metadata'], ['J0.jpg', false],
  ]) {
    const { aiLabel, data, receipt } = await uploader.upload({ ...labelled(name), aiDeclared }).promise
    const told = aiLabel && [aiLabel.label, aiLabel.source]
    assert.deepEqual(told, source ? [label, source] : null, name)
    assert.deepEqual([data.aiLabel, (await uploader.status(receipt)).aiLabel], [aiLabel, aiLabel])
    assert.equal(Object(claimsOf(receipt).aiLabel).label, Object(aiLabel).label, name)
  }
  assert.equal((await uploader.upload(labelled('J1.jpg')).promise).aiLabel.produceId, 'img-42')
  assert.equal((await failureOf(newUploader().upload({ ...picture(), aiDeclared: true }).promise)).code, 'bad_request')
})

test('a large file is declared when it begins, and says so when it is complete', async () => {
  const large = createLargeUploader({ endpoint: cloud.function, api: wx, backoff: 5, partsFrom: 0, profile: 'video' })
  const { aiLabel } = await large.upload({ ...makeFile('film.mp4', 300000), aiDeclared: true }).promise
  assert.deepEqual([aiLabel.label, aiLabel.source], [2, 'declared'])
})

test('a failed callback is told apart from a failed upload where nobody can be asked, and the ticket is good later', async (t) => {
  await cloud.plan(cloud.oss, { kind: 'callback_fails', times: 1 })
  t.after(() => cloud.clear(cloud.oss))
  const request = (options) => {
    if (!options.url.endsWith('/confirm')) return wx.request(options)
    setImmediate(options.fail, { errMsg: 'request:fail -101:net::ERR_CONNECTION_RESET' })
    return undefined
  }
  const uploader = newUploader({ profile: 'avatar', api: { ...wx, request } })
  const file = makeFile('me.jpg', 500)
  const error = await failureOf(uploader.upload(file).promise)
  assert.deepEqual([error.code, error.statusCode], ['callback_failed', 203])
  isStored(error, file)
  assert.equal(claimsOf((await newUploader().confirm(error.ticket)).receipt).key, error.key)
})

test('what a user has stored is not sent again by the same user, but by another', async (t) => {
  const getFileInfo = ({ filePath, digestAlgorithm, success }) => {
    const bytes = fs.readFileSync(filePath)
    setImmediate(success, { size: bytes.length, digest: crypto.createHash(digestAlgorithm).update(bytes).digest('hex') })
  }
  const [one, other] = [wx, openPhone(t)].map((phone) => (
    newUploader({ api: { ...phone, getFileSystemManager: () => ({ getFileInfo }) }, profile: 'album', digest: { album: 'default' } })
  ))
  const file = makeFile('twice.jpg', 900)
  const both = (await one.uploadAll([file, file])).map(({ value }) => value)
  assert.deepEqual([both[0].key, both[0].confirmed, both[1].confirmed], [both[1].key, true, true])
  const earlier = sent(wx).length
  const again = await one.upload({ ...file, name: 'under another name.jpg' }).promise
  assert.deepEqual([again.exists, again.key, again.confirmed, sent(wx).length], [true, both[0].key, true, earlier])
  const sha256 = crypto.createHash('sha256').update(fs.readFileSync(file.filePath)).digest('hex')
  assert.deepEqual([claimsOf(again.receipt).sha256, claimsOf(again.receipt).seen], [sha256, true])
  const theirs = await other.upload(file).promise
  assert.deepEqual([theirs.exists, theirs.key === again.key], [false, false])
})

test('a private picture is seen by its owner, in its variants as well, and by nobody else', async (t) => {
  const uploader = newUploader()
  const file = picture()
  const { key, url } = await uploader.upload(file).promise
  assert.equal((await fetch(url)).status, 403)
  const [whole, thumb, large] = await Promise.all([undefined, 'thumb', 'large'].map(async (variant) => {
    const response = await fetch(await uploader.read(key, { variant }))
    return Buffer.from(await response.arrayBuffer())
  }))
  assert.ok(whole.equals(fs.readFileSync(file.filePath)))
  for (const each of [thumb, large]) assert.equal(each.subarray(0, 3).toString('hex'), 'ffd8ff')
  assert.ok(!thumb.equals(large))
  const stranger = newUploader({ api: openPhone(t) })
  const own = await stranger.upload(picture()).promise
  const error = await failureOf(stranger.read([own.key, key]))
  assert.deepEqual([error.code, error.stage, error.message], ['forbidden', 'read', '这个账号没有权限。'])
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

test('a file part sent as octet-stream is stored with the intended type', async (t) => {
  const { key } = await newUploader({ api: openPhone(t, { partType: 'octet-stream' }) }).upload(makeFile('me.jpg', 100)).promise
  const { url } = await (await fetch(`${cloud.playground}/signed.json?key=${encodeURIComponent(key)}`)).json()
  assert.equal((await fetch(url)).headers.get('content-type'), 'image/jpeg')
})

// --- held

const HELD = { profile: 'post' }

/** Hand receipts to the business, as the page of posts does, and ask until they are decided; WeChat is not waited for. */
async function publish(uploader, receipts) {
  assert.equal((await ask(`${cloud.business}/posts`, { text: '', receipts })).status, 200)
  for (const end = Date.now() + 120000, asked = { times: 0 }; ;) {
    const found = await uploader.status(receipts)
    if (!found.some(({ state }) => ['held', 'checking'].includes(state))) return found
    assert.ok(Date.now() < end, JSON.stringify(found))
    await cloud.release()
    await new Promise((resolve) => { setTimeout(resolve, 50 * (asked.times += 1)) }) // 60 a minute and upload
  }
}

test('pictures are held and seen by nobody until they are committed, and then if they pass', async (t) => {
  const uploader = newUploader(HELD)
  const values = (await uploader.uploadAll(['good.png', 'risky-1.png', 'review-1.png'].map(picture))).map(({ value }) => value)
  assert.deepEqual([values[0].state, values[0].held, values[0].confirmed], ['held', true, true])
  const before = await uploader.status(values[0].receipt)
  assert.deepEqual([before.key, before.state, before.url], [values[0].key, 'held', null])
  assert.match(before.heldUntil, /^2\d+-.*Z$/)
  const seen = async (phone) => {
    const urls = await newUploader({ ...HELD, api: phone }).read(values.map(({ key }) => key))
    return Promise.all(urls.map(async (url) => (await fetch(url)).status))
  }
  assert.deepEqual(await seen(wx), [404, 404, 404])
  const found = await publish(uploader, values.map(({ receipt }) => receipt))
  assert.deepEqual(found.map(({ state, url }) => [state, url]), [['published', values[0].url], ['rejected', null], ['review', null]])
  assert.deepEqual(await seen(openPhone(t)), [200, 404, 404])
  assert.deepEqual(values.map(({ key }) => cloud.holds(`held/${key}`)), [false, false, true])
  assert.equal((await failureOf(uploader.discard(values[0]))).code, 'already_published')
  assert.equal((await uploader.discard(values[1])).state, 'rejected')
})

test('what is held is taken back by its user, as often as they like, and by nobody else', async (t) => {
  const uploader = newUploader(HELD)
  const value = await uploader.upload(picture()).promise
  const error = await failureOf(newUploader({ ...HELD, api: openPhone(t) }).discard(value))
  assert.deepEqual([error.code, error.stage], ['forbidden', 'discard'])
  assert.equal(cloud.holds(`held/${value.key}`), true)
  const large = createLargeUploader({ endpoint: cloud.function, api: wx })
  for (const take of [uploader, large]) assert.deepEqual(await take.discard(value.receipt), { key: value.key, state: 'gone' })
  assert.deepEqual([cloud.holds(`held/${value.key}`), (await uploader.status(value.receipt)).state], [false, 'gone'])
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
async function chooseAgain(t, options) {
  const [first, second, file] = [openPhone(t), openPhone(t), film(20 * MIB)]
  const closed = newLarge(first, options).upload({ ...file, onProgress: ({ progress }) => { if (progress >= 40) first.platform.hide(0) } })
  await until(() => first.platform.hidden)
  first.storage.forEach((value, key) => second.storage.set(key, value))
  const again = { ...makeFile('again.mp4', fs.readFileSync(file.filePath)), profile: 'video' }
  const { key } = await newLarge(second, options).upload(again).promise
  closed.abort()
  await failureOf(closed.promise)
  return { key, file, sent: puts(second) }
}

test('another start of the app goes on with what OSS has, by another path', async (t) => {
  const found = await chooseAgain(t)
  isStored(found, found.file)
  assert.ok(found.sent <= 13, `${found.sent} parts were sent again or at all`)
})

test('another start sends all parts again to a bucket whose ETags are no MD5s', async (t) => {
  const encrypted = await startLocalCloud({ options: ['--rule', 'part_etag_is_md5=false'] })
  t.after(encrypted.stop)
  const { key, file, sent: count } = await chooseAgain(t, { endpoint: encrypted.function })
  assert.ok(encrypted.object(key).equals(fs.readFileSync(file.filePath)))
  assert.equal(count, 20)
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

for (const [name, open] of Object.entries({ Alipay: alipay, Douyin: douyin })) {
  test(`${name} logs in at its own platform`, async (t) => {
    const own = await startLocalCloud({ options: ['--caller-auth', name.toLowerCase()] })
    t.after(own.stop)
    const file = makeFile('me.jpg', 300)
    const { key } = await newUploader({ endpoint: own.function, api: open(t), profile: 'avatar' }).upload(file).promise
    assert.ok(own.object(key).equals(fs.readFileSync(file.filePath)))
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
  const error = await failureOf(newUploader({ endpoint: own.function, api: other }).upload(makeFile('me.jpg', 300)).promise)
  assert.deepEqual([error.code, error.stage], ['unauthorized', 'login'])
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
