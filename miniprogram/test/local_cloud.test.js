'use strict'

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { startLocalCloud } = require('./local_cloud')
const { createWx } = require('./wx')

const FILES = 200
const RATE = 0.05
const MOST_SECONDS = 120
const PICTURE = path.join(__dirname, '../../docs/images/example.png') // larger than any thumbnail
const JPEG = 'ffd8ff'

let cloud
let folder
let wx

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

function makeFile(name, size) {
  const filePath = path.join(folder, name)
  fs.writeFileSync(filePath, crypto.randomBytes(size))
  return { filePath, name, size, contentType: name.endsWith('.mp4') ? 'video/mp4' : 'image/jpeg' }
}

function newUploader(options) {
  return createUploader({ endpoint: cloud.function, api: wx, backoff: 5, ...options })
}

async function planFaults() {
  for (const kind of ['drop', 'answer_lost', 'status_503', 'status_500', 'expired_form']) {
    await cloud.plan(cloud.oss, { kind, rate: RATE })
  }
  // Credentials are kept for an hour, so the few times STS is asked have to hurt.
  for (const kind of ['throttled', 'drop']) await cloud.plan(cloud.sts, { kind, times: 1 })
  for (const kind of ['status_503', 'status_500']) await cloud.plan(cloud.sts, { kind, rate: RATE })
  await cloud.plan(cloud.wechat, { kind: 'busy', times: 1 })
}

const claimsOf = (receipt) => JSON.parse(Buffer.from(receipt.split('.')[1], 'base64url').toString('utf8'))
const uploadsOf = (phone) => phone.platform.calls.filter(({ api }) => api === 'uploadFile').length

/** A phone that cannot reach one route of the function. */
function phoneWithout(route) {
  const request = (options) => {
    if (!options.url.endsWith(route)) return wx.request(options)
    setImmediate(options.fail, { errMsg: 'request:fail -101:net::ERR_CONNECTION_RESET' })
    return undefined
  }
  return { ...wx, request }
}

function settledInTime(promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not settled after ${MOST_SECONDS} s`)), MOST_SECONDS * 1000)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

test("a user's own files are listed page by page and deleted, and nobody else's", async (t) => {
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
  assert.deepEqual((await mine.list({ limit: 4 }).page()).items.length, 4)
  const results = await mine.delete([...keys, foreign])
  assert.deepEqual(results.map(({ state, error }) => state || error.code), [...Array(5).fill('gone'), 'forbidden'])
  assert.deepEqual([keys.filter(cloud.holds), cloud.holds(foreign)], [[], true])
  assert.deepEqual(await mine.list().page(), { items: [], done: true })
})

test(`${FILES} files with ${RATE * 100} % of each fault all end uploaded, byte for byte, once`, async (t) => {
  await planFaults()
  t.after(() => Promise.all([cloud.oss, cloud.sts, cloud.wechat].map(cloud.clear)))
  const before = cloud.stored().length
  const files = Array.from({ length: FILES }, (_, index) => makeFile(`${index}.jpg`, 200 + index * 37))
  const events = []
  const uploader = newUploader({ concurrency: 10, retries: 8 })
  const outcomes = await settledInTime(uploader.uploadAll(files, { onProgress: (event) => events.push(event) }))

  assert.deepEqual(outcomes.filter(({ status }) => status !== 'fulfilled').map(({ reason }) => reason), [])
  outcomes.forEach(({ value }, index) => {
    assert.ok(cloud.object(value.key).equals(fs.readFileSync(files[index].filePath)), value.key)
  })
  assert.equal(new Set(outcomes.map(({ value }) => value.key)).size, FILES)
  assert.equal(cloud.stored().length - before, FILES)
  assert.equal(events.at(-1).progress, 100)
  assert.equal(events.at(-1).finished, FILES)
  const posts = wx.platform.calls.filter(({ api }) => api === 'uploadFile').length
  const recovered = outcomes.filter(({ value }) => value.statusCode === 409).length
  outcomes.forEach(({ value: { confirmed, receipt, key } }) => {
    assert.equal(confirmed, true)
    assert.equal(claimsOf(receipt).key, key)
  })
  t.diagnostic(`${posts} posts for ${FILES} files; ${recovered} answers lost after storing`)
  assert.ok(posts > FILES && recovered > 0, 'the faults did not strike')
  assert.equal(wx.platform.mostInFlight, 10)
})

test('the receipt of the callback arrives', async () => {
  const file = makeFile('me.jpg', 1000)
  const { data, receipt, key, url } = await newUploader({ profile: 'avatar' }).upload(file).promise
  assert.match(receipt, /^[\w-]+\.[\w-]+\.[\w-]+$/)
  assert.deepEqual([data.status, data.key, data.size], ['ok', key, 1000])
  assert.equal(url, `${cloud.oss}/${key}`)
})

test('an upload has a receipt of what OSS says, with the context that the page gave', async () => {
  const file = { ...makeFile('photo.jpg', 700), context: { order: 17, 备注: '合影' } }
  const { key, uploadId, receipt, confirmed, data } = await newUploader().upload(file).promise
  const claims = claimsOf(receipt)
  assert.deepEqual([confirmed, data.state, data.size, data.mimeType], [true, 'stored', 700, 'image/jpeg'])
  assert.deepEqual([claims.seen, claims.key, claims.jti, claims.size, claims.profile], [true, key, uploadId, 700, 'default'])
  assert.deepEqual(claims.context, { order: 17, 备注: '合影' })
})

test('a failed callback is no failure, for OSS says that the object is there', async (t) => {
  await cloud.plan(cloud.oss, { kind: 'callback_fails', times: 1 })
  t.after(() => cloud.clear(cloud.oss))
  const file = makeFile('me.jpg', 500)
  const { statusCode, receipt, key } = await newUploader({ profile: 'avatar' }).upload(file).promise
  assert.deepEqual([statusCode, claimsOf(receipt).seen], [203, true])
  assert.ok(cloud.object(key).equals(fs.readFileSync(file.filePath)))
})

test('a failed callback is told apart from a failed upload where nobody can be asked, and the ticket is good later', async (t) => {
  await cloud.plan(cloud.oss, { kind: 'callback_fails', times: 1 })
  t.after(() => cloud.clear(cloud.oss))
  const file = makeFile('me.jpg', 500)
  const error = await newUploader({ profile: 'avatar', api: phoneWithout('/confirm') }).upload(file).promise.catch((reason) => reason)
  assert.deepEqual([error.code, error.statusCode], ['callback_failed', 203])
  assert.ok(cloud.object(error.key).equals(fs.readFileSync(file.filePath)))
  assert.equal(claimsOf((await newUploader().confirm(error.ticket)).receipt).key, error.key)
})

test('an answer that was lost after storing is found out without sending the file again', async (t) => {
  await cloud.plan(cloud.oss, { kind: 'answer_lost', times: 1 })
  t.after(() => cloud.clear(cloud.oss))
  const earlier = uploadsOf(wx)
  const { statusCode, confirmed, receipt } = await newUploader().upload(makeFile('lost.jpg', 800)).promise
  assert.deepEqual([statusCode, confirmed, claimsOf(receipt).size], [409, true, 800])
  assert.equal(uploadsOf(wx), earlier + 1)
})

test('a connection that broke before storing is sent again, for OSS says that it has nothing', async (t) => {
  await cloud.plan(cloud.oss, { kind: 'drop', times: 1 })
  t.after(() => cloud.clear(cloud.oss))
  const earlier = uploadsOf(wx)
  const { statusCode, confirmed } = await newUploader().upload(makeFile('dropped.jpg', 800)).promise
  assert.deepEqual([statusCode, confirmed], [200, true])
  assert.equal(uploadsOf(wx), earlier + 2)
})

test('an upload that could not be confirmed is a success all the same, and is confirmed later', async () => {
  const { statusCode, confirmed, receipt, ticket } = await newUploader({ api: phoneWithout('/confirm') }).upload(makeFile('later.jpg', 300)).promise
  assert.deepEqual([statusCode, confirmed, receipt], [200, false, null])
  assert.equal(claimsOf((await newUploader().confirm(ticket)).receipt).size, 300)
})

test('a file that OSS did not take is told so by its ticket', async () => {
  const { ticket } = await newUploader().upload({ ...makeFile('never.jpg', 300), size: 299 }).promise.catch((reason) => reason)
  const error = await newUploader().confirm(ticket).catch((reason) => reason)
  assert.deepEqual([error.code, error.message], ['not_uploaded', '文件还没有传好，请重新上传。'])
})

/** A phone that tells the SHA-256 of its files. */
const withDigests = (phone) => ({
  ...phone,
  getFileSystemManager: () => ({
    getFileInfo: ({ filePath, digestAlgorithm, success }) => {
      const bytes = fs.readFileSync(filePath)
      const digest = crypto.createHash(digestAlgorithm).update(bytes).digest('hex')
      setImmediate(success, { size: bytes.length, digest })
    },
  }),
})

test('what a user has stored is not sent again by the same user, but by another', async () => {
  const album = { profile: 'album', digest: { album: 'default' } }
  const uploader = newUploader({ api: withDigests(wx), ...album })
  const file = makeFile('twice.jpg', 900)
  const first = await uploader.upload(file).promise
  const earlier = uploadsOf(wx)
  const second = await uploader.upload({ ...file, name: 'under another name.jpg' }).promise
  assert.deepEqual([first.exists, second.exists, second.key, second.confirmed], [false, true, first.key, true])
  assert.equal(uploadsOf(wx), earlier)
  const sha256 = crypto.createHash('sha256').update(fs.readFileSync(file.filePath)).digest('hex')
  assert.deepEqual([claimsOf(second.receipt).sha256, claimsOf(second.receipt).seen], [sha256, true])
  const other = createWx()
  const theirs = await newUploader({ api: withDigests(other), ...album }).upload(file).promise
  assert.deepEqual([theirs.exists, theirs.key === first.key], [false, false])
  other.close()
})

test('the same bytes twice in one batch are stored once, and both are done', async () => {
  const uploader = newUploader({ api: withDigests(wx), profile: 'album', digest: { album: 'default' } })
  const file = makeFile('both.jpg', 700)
  const outcomes = await uploader.uploadAll([file, file])
  assert.deepEqual(outcomes.map(({ value, reason }) => [reason, Object(value).confirmed]), [[undefined, true], [undefined, true]])
  assert.equal(outcomes[0].value.key, outcomes[1].value.key)
})

test('a phone that tells no digest stores the file in the other profile', async () => {
  const { key, exists } = await newUploader({ profile: 'album', digest: { album: 'default' } }).upload(makeFile('plain.jpg', 600)).promise
  assert.match(key, /^uploads\//)
  assert.equal(exists, false)
})

/** A picture that can be looked at, uploaded. */
async function uploadPicture(uploader) {
  const { size } = fs.statSync(PICTURE)
  return uploader.upload({ filePath: PICTURE, name: 'picture.png', size, contentType: 'image/png' }).promise
}

test('a private picture is seen by its owner: as it is, and in the variants of its profile', async () => {
  const uploader = newUploader()
  const { key, url } = await uploadPicture(uploader)
  assert.equal((await fetch(url)).status, 403)
  const urls = await Promise.all([undefined, 'thumb', 'large'].map((variant) => uploader.read(key, { variant })))
  assert.equal(new Set(urls).size, 3)
  const [whole, thumb, large] = await Promise.all(urls.map(async (each) => {
    const response = await fetch(each)
    assert.equal(response.status, 200, each)
    return Buffer.from(await response.arrayBuffer())
  }))
  assert.ok(whole.equals(fs.readFileSync(PICTURE)))
  for (const each of [thumb, large]) assert.equal(each.subarray(0, 3).toString('hex'), JPEG)
  assert.ok(!thumb.equals(large))
})

test('a URL shows nothing but what it was made for', async () => {
  const uploader = newUploader()
  const [one, other] = [await uploadPicture(uploader), await uploadPicture(uploader)]
  const url = await uploader.read(one.key, { variant: 'thumb' })
  const changes = [url.replace(one.key, other.key), url.replace('w_200', 'w_201'), url.replace(/x-oss-process=[^&]*&?/, '')]
  for (const changed of changes) {
    assert.notEqual(changed, url)
    assert.equal((await fetch(changed)).status, 403, changed)
  }
})

test('a private picture is not seen by another user, alone or among their own', async () => {
  const { key } = await uploadPicture(newUploader())
  const other = createWx()
  const uploader = newUploader({ api: other })
  const own = await uploadPicture(uploader)
  for (const keys of [key, [own.key, key]]) {
    const error = await uploader.read(keys).catch((reason) => reason)
    assert.deepEqual([error.code, error.stage, error.message], ['forbidden', 'read', '这个账号没有权限。'])
  }
  assert.equal((await fetch(await uploader.read(own.key))).status, 200)
  other.close()
})

test('sixty pictures are asked for in two calls, and not again while their URLs are good', async () => {
  const uploader = newUploader()
  const { key } = await uploadPicture(uploader)
  const keys = Array.from({ length: 60 }, (_, index) => key.replace(/[^/]+$/, (name) => `${String(index).padStart(2, '0')}${name.slice(2)}`))
  const asked = () => wx.platform.calls.filter(({ options }) => options.url.endsWith('/read')).length
  const earlier = asked()
  const urls = await uploader.read(keys, { variant: 'thumb' })
  assert.equal(new Set(urls).size, 60)
  assert.deepEqual(await uploader.read(keys, { variant: 'thumb' }), urls)
  assert.equal(asked() - earlier, 2)
})

test('a variant that the profile does not have is refused in a sentence', async () => {
  const uploader = newUploader()
  const { key } = await uploadPicture(uploader)
  const error = await uploader.read(key, { variant: 'poster' }).catch((reason) => reason)
  assert.deepEqual([error.code, error.message], ['bad_request', '服务出了问题，请联系客服。'])
})

test('a large file arrives whole, with rising progress', async () => {
  const seen = []
  const file = makeFile('film.mp4', 8 * 1024 * 1024)
  const { key } = await newUploader().upload({ ...file, onProgress: ({ progress }) => seen.push(progress) }).promise
  assert.ok(cloud.object(key).equals(fs.readFileSync(file.filePath)))
  assert.ok(seen.length > 100)
  assert.equal(seen.at(-1), 100)
})

for (const [name, change, code] of [
  ['too large for its profile', { size: 3 * 1024 * 1024 }, 'too_large'],
  ['of a type its profile does not take', { contentType: 'application/pdf' }, 'unsupported_type'],
  ['for a profile that does not exist', { profile: 'nothing' }, 'unknown_profile'],
]) {
  test(`a file ${name} is refused before it is sent`, async () => {
    const posts = () => wx.platform.calls.filter(({ api }) => api === 'uploadFile').length
    const earlier = posts()
    const file = { ...makeFile('me.jpg', 100), profile: 'avatar', ...change }
    const error = await newUploader().upload(file).promise.catch((reason) => reason)
    assert.deepEqual([error.code, error.stage], [code, 'sign'])
    assert.equal(posts(), earlier)
  })
}

test('a file that is not as large as was said is refused by OSS', async () => {
  const file = makeFile('me.jpg', 100)
  const error = await newUploader().upload({ ...file, size: 99 }).promise.catch((reason) => reason)
  assert.deepEqual([error.code, error.ossCode], ['too_large', 'EntityTooLarge'])
})

test('a profile for classic pages is refused with a sentence that says so', async () => {
  const file = makeFile('me.jpg', 100)
  const error = await newUploader({ profile: 'legacy' }).upload(file).promise.catch((reason) => reason)
  assert.equal(error.code, 'bad_answer')
  assert.match(error.advice, /\{filename\}/)
})

test('a file part sent as octet-stream is stored with the intended type', async () => {
  const other = createWx({ partType: 'octet-stream' })
  const { url, key } = await newUploader({ api: other }).upload(makeFile('me.jpg', 100)).promise
  assert.equal((await fetch(url)).status, 403, 'a private object was handed to nobody in particular')
  const signed = await fetch(`${cloud.playground}/signed.json?key=${encodeURIComponent(key)}`)
  const response = await fetch((await signed.json()).url)
  assert.equal(response.headers.get('content-type'), 'image/jpeg')
  other.close()
})

test('a wrong token is replaced by a fresh login', async () => {
  const other = createWx()
  other.setStorageSync(`oss-direct-upload ${cloud.function}`, { token: 'stale', until: Date.now() + 3600000 })
  assert.equal((await newUploader({ api: other }).upload(makeFile('me.jpg', 100)).promise).statusCode, 200)
  other.close()
})
