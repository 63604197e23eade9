'use strict'

/** Large files from the client through the project's own function to the local OSS, with faults on the way. */

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { after, before, test } = require('node:test')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { startLocalCloud } = require('./local_cloud')
const { failureOf, until } = require('./stage')
const { createWx } = require('./wx')

const MIB = 2 ** 20

let cloud
let folder
before(async () => {
  cloud = await startLocalCloud()
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'large-'))
})
after(async () => {
  await cloud.stop()
  fs.rmSync(folder, { recursive: true })
})

function makeFilm(size) {
  const filePath = path.join(folder, `${crypto.randomUUID()}.mp4`)
  fs.writeFileSync(filePath, crypto.randomBytes(size))
  return { filePath, name: 'film.mp4', size, contentType: 'video/mp4', profile: 'video' }
}

function openPhone(t, storage) {
  const wx = createWx()
  if (storage) storage.forEach((value, key) => wx.storage.set(key, value))
  t.after(wx.close)
  const puts = () => wx.platform.calls.filter(({ options }) => options.method === 'PUT').length
  return { wx, puts, uploader: createLargeUploader({ endpoint: cloud.function, api: wx, backoff: 5, retries: 10 }) }
}

const isStored = ({ key }, { filePath }) => assert.ok(cloud.object(key).equals(fs.readFileSync(filePath)), key)

test('a large file arrives whole, each part once, with a receipt of what OSS itself says', async (t) => {
  const { uploader, puts } = openPhone(t)
  const film = makeFilm(23 * MIB + 1)
  const value = await uploader.upload(film).promise
  isStored(value, film)
  assert.equal(puts(), 24)
  assert.deepEqual([value.data.size, value.data.mimeType, value.data.state], [film.size, 'video/mp4', 'stored'])
  assert.match(value.receipt, /^[\w-]+\.[\w-]+\.[\w-]+$/)
})

test('a file under 5 MiB of the same profile goes by a form', async (t) => {
  const { uploader, puts } = openPhone(t)
  const film = makeFilm(5 * MIB - 1)
  isStored(await uploader.upload(film).promise, film)
  assert.equal(puts(), 0)
})

test('a profile without parts gets the form that it gives', async (t) => {
  const { uploader, puts } = openPhone(t)
  const file = { ...makeFilm(6 * MIB), profile: 'default' }
  isStored(await uploader.upload(file).promise, file)
  assert.equal(puts(), 0)
})

test('with 30 % of the requests to OSS failing a file arrives whole', async (t) => {
  const { uploader, puts } = openPhone(t)
  const film = makeFilm(40 * MIB)
  for (const kind of ['drop', 'answer_lost', 'status_500', 'expired_url']) await cloud.plan(cloud.oss, { kind, rate: 0.075, on: ['UploadPart'] })
  t.after(() => cloud.clear(cloud.oss))
  isStored(await uploader.upload(film).promise, film)
  t.diagnostic(`${puts()} requests for 40 parts`)
  assert.ok(puts() > 40, 'the faults did not strike')
})

test('another start of the app goes on with what OSS has', async (t) => {
  const film = makeFilm(20 * MIB)
  const first = openPhone(t)
  const closed = first.uploader.upload({ ...film, onProgress: ({ progress }) => { if (progress >= 40) first.wx.platform.hide(0) } })
  await until(() => first.wx.platform.hidden)
  const second = openPhone(t, first.wx.storage)
  isStored(await second.uploader.upload(film).promise, film)
  assert.ok(second.puts() <= 13, `${second.puts()} parts were sent again or at all`)
  closed.abort()
  await failureOf(closed.promise)
})

test('an upload that is aborted leaves no parts behind', async (t) => {
  const { uploader, wx } = openPhone(t)
  const film = makeFilm(20 * MIB)
  const task = uploader.upload({ ...film, onProgress: ({ progress }) => { if (progress >= 40) task.abort() } })
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await until(() => wx.platform.calls.every(({ settled }) => settled))
  const { options } = wx.platform.calls.find(({ options: { url } }) => url.endsWith('/multipart-abort'))
  const answer = await fetch(`${cloud.function}/multipart-parts`, { method: 'POST', body: options.data, headers: { 'content-type': 'application/json' } })
  assert.equal(answer.status, 410)
})

test('a file that was changed since it was begun begins anew', async (t) => {
  const film = makeFilm(12 * MIB)
  const first = openPhone(t)
  const closed = first.uploader.upload({ ...film, onProgress: ({ progress }) => { if (progress >= 30) first.wx.platform.hide(0) } })
  await until(() => first.wx.platform.hidden)
  fs.writeFileSync(film.filePath, crypto.randomBytes(11 * MIB))
  const second = openPhone(t, first.wx.storage)
  isStored(await second.uploader.upload({ ...film, size: undefined }).promise, film)
  closed.abort()
  await failureOf(closed.promise)
})
