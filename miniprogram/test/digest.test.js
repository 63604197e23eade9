'use strict'

/** The digest of a file, and what the caller has stored already. */

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const fs = require('node:fs')
const { test } = require('node:test')
const { createBrowserApi } = require('../example/utils/oss-direct-upload/browser')
const { jsonError } = require('./servers')
const { openStage, failureOf, hurryTimers, until, testsOn } = require('./stage')

const CONTENT = 'some bytes of a picture'
const SHA256 = crypto.createHash('sha256').update(CONTENT).digest('hex')
const DIGEST = { album: 'default' }

/** A stage whose phone tells digests, or answers as `getFileInfo` says. */
async function openWithDigests(t, { getFileInfo, ...options } = {}) {
  const stage = await openStage(t, { profile: 'album', digest: DIGEST, ...options })
  const hashed = []
  stage.wx.getFileSystemManager = () => ({
    getFileInfo: (wanted) => {
      hashed.push(wanted.filePath)
      return (getFileInfo || tellDigest)(wanted)
    },
  })
  return { ...stage, hashed, wanted: () => stage.fc.signRequests().map(({ body }) => [body.profile, body.sha256, body.size]) }
}

function tellDigest({ filePath, digestAlgorithm, success }) {
  const bytes = fs.readFileSync(filePath)
  const digest = crypto.createHash(digestAlgorithm).update(bytes).digest('hex')
  setImmediate(success, { size: bytes.length, digest: digest.toUpperCase(), errMsg: 'getFileInfo:ok' })
}

const onStage = testsOn(openWithDigests)

const exists = ({ origin }) => (
  { exists: true, key: 'album/user/1.jpg', fileUrl: `${origin}/album/user/1.jpg`, uploadId: 'known-1', receipt: 'receipt.of.1' }
)
const inTime = (body) => ({ body: { ...body, serverTime: new Date().toISOString() } })

onStage('a file of a profile that wants it is signed with its digest and its size', async (stage) => {
  await stage.uploader.upload(stage.file()).promise
  const { filePath } = stage.file('b.jpg')
  await stage.uploader.upload({ filePath }).promise
  await stage.uploader.upload({ filePath, size: 99999 }).promise
  assert.deepEqual(stage.wanted(), Array(3).fill(['album', SHA256, CONTENT.length]))
})

onStage('no other file is read, nor one of which the page has the digest', async (stage) => {
  await stage.uploader.upload({ ...stage.file(), profile: 'video' }).promise
  await stage.uploader.upload({ ...stage.file(), sha256: 'f'.repeat(64) }).promise
  assert.deepEqual(stage.wanted(), [['video', undefined, CONTENT.length], ['album', 'f'.repeat(64), CONTENT.length]])
  assert.deepEqual(stage.hashed, [])
})

onStage('the default profile goes by its name', { profile: undefined, digest: { default: 'plain' } }, async (stage) => {
  await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(stage.wanted(), [[undefined, SHA256, CONTENT.length]])
})

onStage('a digest is computed once, however often the file is signed', async (stage) => {
  stage.fc.plan.sign.push(jsonError(503, 'sts_unavailable'), jsonError(503, 'sts_unavailable'))
  await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([stage.wanted().length, stage.hashed.length], [3, 1])
})

for (const [name, getFileInfo] of [
  ['knows no such digest', ({ fail }) => fail({ errMsg: 'getFileInfo:fail invalid digestAlgorithm' })],
  ['answers with an MD5', ({ success }) => success({ size: 9, digest: 'd41d8cd98f00b204e9800998ecf8427e' })],
  ['answers without one', ({ success }) => success({ size: 9 })],
  ['does not tell the size', ({ success }) => success({ digest: SHA256 })],
  ['throws', () => { throw new Error('getFileInfo is not supported') }],
]) {
  onStage(`where the platform ${name}, the file goes on without, to the profile for such files`, { getFileInfo }, async (stage) => {
    assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
    assert.deepEqual(stage.wanted(), [['default', undefined, CONTENT.length]])
  })
}

onStage('a platform that never tells is waited for only so long', { getFileInfo: () => {} }, async (stage, t) => {
  hurryTimers(t)
  await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(stage.wanted(), [['default', undefined, CONTENT.length]])
})

onStage('what is stored already is done: nothing is sent, and the receipt is there', async (stage) => {
  const seen = []
  stage.fc.plan.sign.push(inTime(exists(stage.oss)))
  const file = { ...stage.file(), onProgress: ({ progress, loaded }) => seen.push([progress, loaded]) }
  const { key, url, uploadId, statusCode, data, ...facts } = await stage.uploader.upload(file).promise
  assert.deepEqual([key, url, uploadId, statusCode, data], ['album/user/1.jpg', `${stage.oss.origin}/album/user/1.jpg`, 'known-1', 200, ''])
  assert.deepEqual(facts, { receipt: 'receipt.of.1', confirmed: true, exists: true, state: 'stored', held: false })
  assert.deepEqual(seen, [[100, CONTENT.length]])
  assert.deepEqual([stage.oss.posts.length, stage.fc.requestsTo('confirm').length], [0, 0])
})

onStage('a batch goes on where some of it is stored already, and reaches 100 %', async (stage) => {
  const events = []
  stage.fc.plan.sign.push(({ body }) => inTime({ uploads: [exists(stage.oss), formOf(stage, body.files[1])] }))
  const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')], { onProgress: (event) => events.push(event) })
  assert.deepEqual(outcomes.map(({ value }) => [value.exists, value.key]), [[true, 'album/user/1.jpg'], [false, 'album/user/new.jpg']])
  assert.deepEqual([events.at(-1).progress, events.at(-1).failed], [100, 0])
})

function formOf({ oss }, { filename }) {
  const key = 'album/user/new.jpg'
  return { url: oss.origin, key, fileUrl: key, uploadId: 'new', filename, formData: { key }, expiresAt: new Date(Date.now() + 9e4).toISOString() }
}

test('an upload that is aborted while its digest is computed is never signed', async (t) => {
  let computing = []
  const stage = await openWithDigests(t, { getFileInfo: (wanted) => (computing ? computing.push(wanted) : tellDigest(wanted)) })
  const task = stage.uploader.upload(stage.file())
  const other = stage.uploader.upload(stage.file('b.jpg', 'of the other'))
  await until(() => computing.length)
  task.abort()
  computing.forEach(tellDigest)
  computing = null
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await other.promise
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body.filename), ['b.jpg'])
})

for (const [name, file, algorithm, ok] of [
  ['tells the digest of a file', new Blob([CONTENT]), 'sha256', true],
  ['knows no MD5', new Blob([CONTENT]), 'md5', false],
  ['takes no file of more than 100 MB through memory', { size: 100 * 1024 * 1024 + 1, arrayBuffer: () => Promise.reject(new Error('read all the same')) }, 'sha256', false],
]) {
  test(`a browser ${name}`, async (t) => {
    withCrypto(t)
    const answer = await new Promise((resolve) => {
      createBrowserApi().getFileSystemManager().getFileInfo({ filePath: file, digestAlgorithm: algorithm, success: resolve, fail: resolve })
    })
    if (ok) assert.deepEqual(answer, { size: CONTENT.length, digest: SHA256 })
    else assert.equal(answer.errMsg, 'getFileInfo:fail no such digest of such a file')
  })
}

test('a page that is served by plain http tells no digest', async (t) => {
  withCrypto(t, {})
  const { errMsg } = await new Promise((fail) => {
    createBrowserApi().getFileSystemManager().getFileInfo({ filePath: new Blob([CONTENT]), digestAlgorithm: 'sha256', fail })
  })
  assert.match(errMsg, /^getFileInfo:fail /)
})

/** Node 18 has no `crypto` for everybody yet. */
function withCrypto(t, value = crypto.webcrypto) {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'crypto')
  Object.defineProperty(globalThis, 'crypto', { value, configurable: true })
  t.after(() => (before ? Object.defineProperty(globalThis, 'crypto', before) : delete globalThis.crypto))
}
