'use strict'

/** What happens to a phone while it uploads: the background, a lost network. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { HANG, DROP } = require('./servers')
const { openStage, failureOf, until, pause, onStage, fails, sending } = require('./stage')

const LONG = 60 // ms: longer than it takes to be interrupted

for (const [what, off, on] of [['the background', 'hide', 'show'], ['a lost network', 'disconnect', 'connect']]) {
  onStage(`an upload that ${what} breaks off goes on at once after it, and that is no retry`, { retries: 0, backoff: 1e7, oss: [HANG] }, async (stage) => {
    const { promise } = await sending(stage)
    stage.wx.platform[off]()
    await pause(LONG)
    assert.equal(stage.wx.platform.calls.filter(({ api }) => api === 'uploadFile').length, 1, 'it waits, it does not try')
    stage.wx.platform[on]()
    assert.equal((await promise).statusCode, 200)
    assert.equal(stage.oss.posts.length, 2)
  })
}

onStage('files whose turn comes in the background are signed and sent after it', { concurrency: 1, retries: 0, oss: [HANG] }, async (stage) => {
  const promise = stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg'), stage.file('c.jpg')])
  await until(() => stage.oss.posts.length === 1)
  stage.wx.platform.hide()
  await pause(LONG)
  assert.equal(stage.fc.signRequests().length, 1)
  stage.wx.platform.show()
  assert.ok((await promise).every(({ status }) => status === 'fulfilled'))
})

onStage('a file that is chosen in the background is not even signed before the app is back', { oss: [HANG] }, async (stage) => {
  const first = await sending(stage, 'a.jpg')
  stage.wx.platform.hide()
  const second = stage.uploader.upload(stage.file('b.jpg'))
  await pause(LONG)
  assert.equal(stage.wx.platform.calls.filter(({ api }) => api === 'request').length, 2, 'one login, one form')
  stage.wx.platform.show()
  await Promise.all([first.promise, second.promise])
})

onStage('a network that is back is of no use to an app in the background', { retries: 0, oss: [HANG] }, async (stage) => {
  const { promise } = await sending(stage)
  stage.wx.platform.hide(0)
  stage.wx.platform.disconnect()
  stage.wx.platform.connect()
  await pause(LONG)
  assert.equal(stage.oss.posts.length, 1)
  stage.wx.platform.show()
  assert.equal((await promise).statusCode, 200)
})

onStage('nobody waits longer than the timeout for an app that does not come back', { retries: 1, timeout: 100, oss: [HANG] }, async (stage) => {
  const { promise } = await sending(stage)
  stage.wx.platform.hide()
  await fails(promise, { code: 'interrupted', retryable: true })
})

onStage('an upload that waits for the foreground can be aborted', { timeout: 100, oss: [HANG] }, async (stage) => {
  const task = await sending(stage)
  stage.wx.platform.hide(0)
  await pause(LONG)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  stage.wx.platform.show()
  await pause(LONG)
  assert.equal(stage.oss.posts.length, 1)
})

onStage('an upload begun after one that ended in the background waits for nothing that has passed', { oss: [HANG] }, async (stage) => {
  const first = await sending(stage, 'a.jpg')
  stage.wx.platform.hide(1e6)
  first.abort()
  await failureOf(first.promise)
  stage.wx.platform.show() // nobody listens now
  assert.equal((await stage.uploader.upload(stage.file('b.jpg')).promise).statusCode, 200)
})

onStage('where the platform tells nothing, interruptions are retried and told by their name', { retries: 2 }, async (stage) => {
  for (const name of ['onAppHide', 'onAppShow', 'onNetworkStatusChange']) delete stage.wx[name]
  stage.wx.uploadFile = ({ fail }) => {
    stage.oss.posts.push('tried')
    setImmediate(fail, { errno: 600003, errMsg: 'uploadFile:fail interrupted' })
  }
  await fails(stage.uploader.upload(stage.file()).promise, { code: 'interrupted', message: '上传被打断，请再试一次。' })
  assert.equal(stage.oss.posts.length, 3)
})

onStage('a failure with the app in front counts, whatever happened before', { retries: 1, oss: [HANG, DROP, DROP, DROP] }, async (stage) => {
  const { promise } = await sending(stage)
  stage.wx.platform.hide(0)
  await until(() => stage.wx.platform.calls.every(({ settled }) => settled))
  stage.wx.platform.show()
  assert.equal((await failureOf(promise)).code, 'network')
  assert.equal(stage.oss.posts.length, 3)
})

onStage('what broke off before an upload began gives it no retry for nothing', { retries: 0, oss: [HANG, DROP, DROP] }, async (stage) => {
  const first = await sending(stage, 'a.jpg')
  stage.wx.platform.hide(1e6)
  stage.wx.platform.show()
  assert.equal((await failureOf(stage.uploader.upload(stage.file('b.jpg')).promise)).code, 'network')
  assert.equal(stage.oss.posts.length, 2)
  first.abort()
  await failureOf(first.promise)
})

onStage('the phone is listened to only while something is uploaded', async (stage) => {
  const counts = () => Object.values(stage.wx.platform.listeners).map(({ size }) => size)
  assert.deepEqual(counts(), [0, 0, 0])
  const promise = stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')])
  assert.deepEqual(counts(), [1, 1, 1])
  await promise
  assert.deepEqual(counts(), [0, 0, 0])
  const task = stage.uploader.upload(stage.file('c.jpg'))
  assert.deepEqual(counts(), [1, 1, 1])
  task.abort()
  await failureOf(task.promise)
  assert.deepEqual(counts(), [0, 0, 0])
})

onStage('a listener of the platform that throws ends no upload', async (stage, t) => {
  const shown = t.mock.method(console, 'error', () => {})
  stage.wx.onAppShow = () => { throw new Error('not supported') }
  assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
  assert.equal(shown.mock.callCount(), 1)
})

onStage('two uploaders on one page hear of the foreground each for itself', { retries: 0 }, async (stage) => {
  const other = createUploader({ endpoint: stage.fc.origin, api: stage.wx, retries: 0 })
  stage.oss.plan.push(HANG, HANG)
  const promises = [stage.uploader, other].map((uploader) => uploader.upload(stage.file()).promise)
  await until(() => stage.oss.posts.length === 2)
  stage.wx.platform.hide(0)
  await until(() => stage.wx.platform.calls.every(({ settled }) => settled))
  stage.wx.platform.show()
  assert.deepEqual((await Promise.all(promises)).map(({ statusCode }) => statusCode), [200, 200])
})

// --- what the network stack tells and takes

const PROFILE = {
  protocol: 'h2', socketReused: false, connectStart: 5, connectEnd: 47, rtt: 31, peerIP: '203.0.113.7', port: 443,
  someAddress: '2001:db8::1', usingHighPerformanceMode: true,
}
const { peerIP, port, someAddress, ...TIMES } = PROFILE

/** A phone whose uploads tell how long each step took; of which, the test says. */
function timedPhone(wx, profiles) {
  const withProfile = (settle) => (res) => settle({ ...res, profile: profiles.shift() })
  return { ...wx, uploadFile: (options) => wx.uploadFile({ ...options, success: withProfile(options.success), fail: withProfile(options.fail) }) }
}

onStage('an upload says how long each step took, without addresses, and only where the phone says it', async (stage) => {
  const uploader = createUploader({ endpoint: stage.fc.origin, api: timedPhone(stage.wx, [PROFILE, undefined, null]) })
  const values = []
  for (const name of ['a.jpg', 'b.jpg', 'c.jpg']) values.push(await uploader.upload(stage.file(name)).promise)
  assert.deepEqual(values.map(({ timing }) => timing), [TIMES, undefined, undefined])
  assert.deepEqual(values.map((value) => 'timing' in value), [true, false, false])
})

test('a failure says it where it is there, of the last attempt alone', async (t) => {
  const refusal = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' }
  for (const [answers, profiles, timing] of [
    [[DROP, DROP], [undefined, PROFILE], TIMES], [[DROP, DROP], [PROFILE, undefined], undefined], [[refusal], [PROFILE], TIMES],
  ]) {
    const stage = await openStage(t)
    stage.oss.plan.push(...answers)
    const uploader = createUploader({ endpoint: stage.fc.origin, api: timedPhone(stage.wx, profiles), retries: 1, backoff: 1 })
    assert.deepEqual((await failureOf(uploader.upload(stage.file()).promise)).timing, timing)
  }
})

onStage('a phone that never answers the last attempt leaves no times of an earlier one', { oss: [DROP] }, async (stage) => {
  const { uploadFile, ...others } = timedPhone(stage.wx, [PROFILE])
  const attempts = [uploadFile, () => undefined]
  const api = { ...others, uploadFile: (options) => attempts.shift()(options) }
  const uploader = createUploader({ endpoint: stage.fc.origin, api, timeout: LONG, retries: 1, backoff: 1 })
  const error = await failureOf(uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.timing, attempts.length], ['timeout', undefined, 0])
})

for (const [options, passed] of [[{}, {}], [{ enableHttp2: true, enableQuic: false }, { enableHttp2: true, enableQuic: false }], [{ enableQuic: true }, { enableQuic: true }]]) {
  test(`what is passed on to the phone: ${JSON.stringify(options)}`, async (t) => {
    const warned = t.mock.method(console, 'warn', () => {})
    const { wx, uploader, file } = await openStage(t, options)
    await uploader.upload(file()).promise
    const [{ options: sent }] = wx.platform.calls.filter(({ api }) => api === 'uploadFile')
    const named = Object.keys(sent).filter((name) => name.startsWith('enable'))
    assert.deepEqual(Object.fromEntries(named.map((name) => [name, sent[name]])), passed)
    assert.equal(warned.mock.callCount(), 0)
  })
}
