'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { jsonError, HANG } = require('./servers')
const { openStage, failureOf, pause, until, onStage, fails } = require('./stage')

const UNAUTHORIZED = jsonError(401, 'unauthorized')
const logins = (stage) => stage.fc.requests.filter(({ url }) => url === '/login')
const tokens = (stage) => stage.fc.signRequests().map(({ headers }) => headers.authorization)

onStage('logs in once and shows the token with every request, where getToken is undefined as well', { getToken: undefined }, async (stage) => {
  await stage.uploader.upload(stage.file('a.jpg')).promise
  await stage.uploader.upload(stage.file('b.jpg')).promise
  assert.equal(logins(stage).length, 1)
  assert.match(logins(stage)[0].body.code, /^local-/)
  assert.deepEqual(tokens(stage), ['Bearer token-1', 'Bearer token-1'])
})

onStage('uploads that start one after the other share the login that is under way', async (stage) => {
  stage.fc.plan.login.push({ after: 30, body: { token: 'token-1', expiresIn: 7200 } })
  const first = stage.uploader.upload(stage.file('a.jpg')).promise
  await until(() => logins(stage).length)
  const second = stage.uploader.upload(stage.file('b.jpg')).promise
  await Promise.all([first, second])
  assert.equal(logins(stage).length, 1)
  assert.equal(stage.fc.signRequests().length, 2)
})

onStage('a token in storage is used by the next uploader of this function, and of no other', async (stage) => {
  await stage.uploader.upload(stage.file('a.jpg')).promise
  for (const [endpoint, count] of [[stage.fc.origin, 1], [`${stage.fc.origin}/other`, 2]]) {
    await createUploader({ endpoint, api: stage.wx }).upload(stage.file('b.jpg')).promise
    assert.equal(stage.fc.requests.filter(({ url }) => url.endsWith('/login')).length, count)
  }
})

/** A browser has one storage for everybody; who logs in is told apart by the code alone. */
function loginOf(user, stage) {
  return { ...stage.wx, login: ({ success }) => success({ code: `local-${user}` }) }
}

onStage('on a page of a browser the next user does not upload with the last one\'s token', async (stage) => {
  for (const user of ['zhang', 'li', 'zhang']) {
    const uploader = createUploader({ endpoint: stage.fc.origin, api: loginOf(user, stage), user })
    await uploader.upload(stage.file()).promise
  }
  assert.deepEqual(logins(stage).map(({ body }) => body.code), ['local-zhang', 'local-li'])
  assert.deepEqual(tokens(stage), ['Bearer token-1', 'Bearer token-2', 'Bearer token-1'])
})

onStage('who logs out leaves no token behind, in memory or in storage', async (stage) => {
  const users = ['zhang', 'li', 'wang']
  const api = { ...stage.wx, login: ({ success }) => success({ code: `local-${users.shift()}` }) }
  const uploader = createUploader({ endpoint: stage.fc.origin, api })
  await uploader.upload(stage.file()).promise
  uploader.logOut()
  assert.deepEqual([...stage.wx.storage.keys()], [])
  await uploader.upload(stage.file()).promise
  uploader.logOut()
  await createUploader({ endpoint: stage.fc.origin, api }).upload(stage.file()).promise
  assert.deepEqual(tokens(stage), ['Bearer token-1', 'Bearer token-2', 'Bearer token-3'])
})

onStage('a file that one user chose is not uploaded as the next', { concurrency: 1, oss: [HANG] }, async (stage) => {
  const tasks = ['a.jpg', 'b.jpg'].map((name) => stage.uploader.upload(stage.file(name)))
  await until(() => stage.oss.posts.length === 1)
  stage.uploader.logOut()
  const errors = await Promise.all(tasks.map(({ promise }) => failureOf(promise)))
  assert.deepEqual(errors.map(({ code }) => code), ['aborted', 'aborted'])
  await stage.uploader.upload(stage.file('c.jpg')).promise
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body.filename), ['a.jpg', 'c.jpg'])
})

onStage('a login that ends after its user has gone is good for nothing', async (stage) => {
  stage.fc.plan.login.push({ after: 40, body: { token: 'of-who-has-gone', expiresIn: 7200 } })
  const task = stage.uploader.upload(stage.file('a.jpg'))
  await until(() => logins(stage).length)
  stage.uploader.logOut()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await stage.uploader.upload(stage.file('b.jpg')).promise
  await pause(60)
  await stage.uploader.upload(stage.file('c.jpg')).promise
  assert.deepEqual(tokens(stage), ['Bearer token-1', 'Bearer token-1'])
  assert.equal(stage.wx.getStorageSync([...stage.wx.storage.keys()][0]).token, 'token-1')
})

onStage('who logs out before an upload has come to its login is not logged in again', async (stage) => {
  const getFileInfo = ({ success }) => setTimeout(success, 30, { size: 23, digest: 'ab'.repeat(32) })
  const api = { ...stage.wx, getFileSystemManager: () => ({ getFileInfo }) }
  const uploader = createUploader({ endpoint: stage.fc.origin, api, digest: { default: 'other' } })
  const task = uploader.upload(stage.file())
  await pause(10)
  uploader.logOut()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await pause(60)
  assert.deepEqual([logins(stage), [...stage.wx.storage.keys()]], [[], []])
})

test('who logs out with a token of the business is asked for one again', async (t) => {
  let asked = 0
  const stage = await openStage(t, { getToken: () => `business-${++asked}` })
  await stage.uploader.upload(stage.file()).promise
  stage.uploader.logOut()
  await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(tokens(stage), ['Bearer business-1', 'Bearer business-2'])
})

for (const [name, kept] of [['broken', 'nonsense'], ['without an end', { token: 'x' }], ['expired', { token: 'x', until: 1 }]]) {
  onStage(`a token in storage that is ${name} is not used`, async (stage) => {
    stage.wx.setStorageSync(`oss-direct-upload ${stage.fc.origin}`, kept)
    await stage.uploader.upload(stage.file()).promise
    assert.deepEqual(tokens(stage), ['Bearer token-1'])
  })
}

onStage('storage that throws costs only another login', async (stage, t) => {
  const shown = t.mock.method(console, 'error', () => {})
  stage.wx.setStorageSync = () => { throw new Error('setStorage:fail exceed max size') }
  stage.wx.getStorageSync = () => { throw new Error('getStorage:fail') }
  await stage.uploader.upload(stage.file()).promise
  assert.equal(logins(stage).length, 1)
  assert.equal(shown.mock.callCount(), 2)
})

onStage('logs in again shortly before the token ends', async (stage) => {
  await stage.uploader.upload(stage.file('a.jpg')).promise
  stage.ahead = 7135 * 1000
  await stage.uploader.upload(stage.file('b.jpg')).promise
  stage.ahead = 7145 * 1000
  await stage.uploader.upload(stage.file('c.jpg')).promise
  assert.deepEqual(tokens(stage), ['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
})

onStage('a refused token is replaced once', { plan: { sign: [UNAUTHORIZED] } }, async (stage) => {
  await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(tokens(stage), ['Bearer token-1', 'Bearer token-2'])
})

onStage('a login that failed is tried again by the next upload', { retries: 0, plan: { login: [jsonError(503, 'login_unavailable')] } }, async (stage) => {
  await failureOf(stage.uploader.upload(stage.file('a.jpg')).promise)
  assert.equal((await stage.uploader.upload(stage.file('b.jpg')).promise).statusCode, 200)
})

onStage('a login refused for its code is not repeated by itself', { plan: { login: [UNAUTHORIZED] } }, async (stage) => {
  await fails(stage.uploader.upload(stage.file()).promise, { code: 'unauthorized', stage: 'login' })
  assert.equal(logins(stage).length, 1)
})

onStage('a function without WeChat login is asked without a token', { plan: { login: [jsonError(404, 'not_found')] } }, async (stage) => {
  await stage.uploader.upload(stage.file('a.jpg')).promise
  await stage.uploader.upload(stage.file('b.jpg')).promise
  assert.deepEqual(tokens(stage), [undefined, undefined])
  assert.equal(logins(stage).length, 1)
})

onStage('a platform without login is asked without a token', async (stage) => {
  delete stage.wx.login
  await stage.uploader.upload(stage.file()).promise
  assert.equal(logins(stage).length, 0)
  assert.deepEqual(tokens(stage), [undefined])
})

test("the business's own token is used, and asked for afresh after a 401", async (t) => {
  const wanted = []
  const getToken = async (how) => { wanted.push(how); return `business-${wanted.length}` }
  const stage = await openStage(t, { getToken })
  stage.fc.plan.sign.push(UNAUTHORIZED)
  await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(wanted, [{ refresh: false }, { refresh: true }])
  assert.deepEqual(tokens(stage), ['Bearer business-1', 'Bearer business-2'])
  assert.equal(logins(stage).length, 0)
})

test('a getToken that meets a domain that is not listed fails the upload, and the next one goes on', async (t) => {
  const answers = [() => Promise.reject({ errMsg: 'request:fail url not in domain list' }), () => 'business-token']
  const stage = await openStage(t, { getToken: () => answers.shift()(), concurrency: 1 })
  await fails(stage.uploader.upload(stage.file()).promise, { code: 'domain_not_listed', stage: 'login' })
  assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
})
