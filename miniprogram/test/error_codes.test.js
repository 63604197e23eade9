'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { jsonError, xmlError, DROP, HANG } = require('./servers')
const { openStage, failureOf, hurryTimers, until } = require('./stage')

const always = (answer) => Array(9).fill(answer)

function uploading({ sign, login, oss, options, change }) {
  return async (t) => {
    const stage = await openStage(t, options)
    if (sign) stage.fc.plan.sign.push(...always(sign))
    if (login) stage.fc.plan.login.push(...always(login))
    if (oss) stage.oss.plan.push(...always(oss))
    return failureOf(stage.uploader.upload({ ...stage.file(), ...change }).promise)
  }
}

async function abortASlowUpload(t) {
  const stage = await openStage(t)
  stage.oss.plan.push(HANG)
  const task = stage.uploader.upload(stage.file())
  await until(() => stage.oss.posts.length)
  task.abort()
  return failureOf(task.promise)
}

async function loseAnAnswerUntilTheFormExpires(t) {
  const clock = { ahead: 0 }
  const stage = await openStage(t, { now: () => Date.now() + clock.ahead })
  stage.oss.plan.push(DROP)
  const file = { ...stage.file(), onProgress: () => { clock.ahead = 400000 } }
  return failureOf(stage.uploader.upload(file).promise)
}

const POLICY_FAILED = 'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "a"]'
const onlyRequests = (fc) => ({ domains: { request: [fc.origin], uploadFile: [] } })

/** code: [how it comes about, stage, retryable] */
const CODES = {
  bad_file: [uploading({ change: { filePath: '' } }), 'sign', false],
  empty_file: [uploading({ change: { size: 0 } }), 'sign', false],
  file_unreadable: [uploading({ change: { filePath: '/nowhere/photo.jpg' } }), 'upload', false],
  too_large: [uploading({ sign: jsonError(413, 'too_large') }), 'sign', false],
  unsupported_type: [uploading({ sign: jsonError(415, 'unsupported_type') }), 'sign', false],
  aborted: [abortASlowUpload, 'upload', false],
  network: [uploading({ oss: DROP }), 'upload', true],
  timeout: [uploading({ oss: HANG, options: { timeout: 30, retries: 1 } }), 'upload', true],
  domain_not_listed: [uploading({ options: { wx: onlyRequests } }), 'upload', false],
  login_failed: [uploading({ options: { getToken: () => { throw new Error('no session') } } }), 'login', true],
  bad_answer: [uploading({ sign: { status: 200, body: { accessid: 'x', policy: 'y' } } }), 'sign', false],
  form_expired: [uploading({ oss: xmlError(403, 'AccessDenied', 'Invalid according to Policy: Policy expired.') }), 'upload', true],
  access_denied: [uploading({ oss: xmlError(403, 'AccessDenied', POLICY_FAILED) }), 'upload', false],
  file_exists: [uploading({ oss: xmlError(409, 'FileAlreadyExists', 'The object you specified already exists.') }), 'upload', false],
  oss_rejected: [uploading({ oss: xmlError(400, 'MalformedPOSTRequest', 'The body is not well-formed.') }), 'upload', false],
  oss_unavailable: [uploading({ oss: xmlError(503, 'ServiceUnavailable', 'Please reduce your request rate.') }), 'upload', true],
  callback_failed: [uploading({ oss: { ...xmlError(203, 'CallbackFailed', 'Error status : 502.'), store: true } }), 'upload', false],
  unknown_outcome: [loseAnAnswerUntilTheFormExpires, 'upload', false],
  bad_request: [uploading({ sign: jsonError(400, 'bad_request') }), 'sign', false],
  unknown_profile: [uploading({ sign: jsonError(400, 'unknown_profile') }), 'sign', false],
  unauthorized: [uploading({ sign: jsonError(401, 'unauthorized') }), 'sign', false],
  forbidden: [uploading({ login: jsonError(403, 'forbidden') }), 'login', false],
  not_found: [uploading({ sign: { status: 404, body: '<html>no such page</html>' } }), 'sign', false],
  too_many_requests: [uploading({ sign: jsonError(429, 'too_many_requests') }), 'sign', true],
  misconfigured: [uploading({ sign: jsonError(500, 'misconfigured') }), 'sign', false],
  internal_error: [uploading({ sign: jsonError(500, 'internal_error') }), 'sign', true],
  sts_rejected: [uploading({ sign: jsonError(502, 'sts_rejected') }), 'sign', false],
  sts_unavailable: [uploading({ sign: jsonError(503, 'sts_unavailable') }), 'sign', true],
  wechat_rejected: [uploading({ login: jsonError(502, 'wechat_rejected') }), 'login', false],
  wechat_unavailable: [uploading({ login: jsonError(503, 'wechat_unavailable') }), 'login', true],
}

for (const [code, [provoke, stage, retryable]] of Object.entries(CODES)) {
  test(`an upload ends with ${code}`, async (t) => {
    const error = await provoke(t)
    assert.deepEqual([error.code, error.stage, error.retryable], [code, stage, retryable], error.stack)
    assert.equal(error.name, 'OssUploadError')
    assert.match(error.message, /^[\u4e00-\u9fff]/)
    assert.match(error.advice, /[\u4e00-\u9fff]/)
  })
}

test('the table of codes in the documents is the one that is tested', () => {
  const chinese = fs.readFileSync(path.join(__dirname, '../../docs/client.zh-CN.md'), 'utf8')
  const table = chinese.split('\n## 错误码')[1].split('\n## ')[0]
  const rows = [...table.matchAll(/^\| `(\w+)` \|.* (是|否) \|$/gm)].map(([, code, yes]) => [code, yes === '是'])
  const tested = Object.entries(CODES).map(([code, [, , retryable]]) => [code, retryable])
  assert.deepEqual(rows.sort(), tested.sort())
})

test('a failed upload says where the object is or might be', async (t) => {
  const error = await CODES.callback_failed[0](t)
  assert.equal(error.key, 'uploads/user/1-photo.jpg')
  assert.match(error.url, /uploads\/user\/1-photo\.jpg$/)
  assert.deepEqual([error.uploadId, error.statusCode, error.ossCode], ['id-1', 203, 'CallbackFailed'])
})

test('what OSS said and its request id are kept', async (t) => {
  const error = await CODES.access_denied[0](t)
  assert.equal(error.ossCode, 'AccessDenied')
  assert.equal(error.requestId, '5F0000000000000000000001')
  assert.match(error.message, /Policy Condition failed/)
})

test('what the function said and its request id are kept', async (t) => {
  const error = await CODES.unknown_profile[0](t)
  assert.deepEqual([error.statusCode, error.requestId], [400, 'request-1'])
  assert.match(error.message, /what is wrong/)
})

test('a missing domain is named together with the list it belongs to', async (t) => {
  const upload = await CODES.domain_not_listed[0](t)
  assert.match(upload.advice, /uploadFile 合法域名 中加入 http:\/\/127\.0\.0\.1:\d+$/)
  const request = await uploading({ options: { wx: () => ({ domains: { request: [], uploadFile: [] } }), getToken: () => '' } })(t)
  assert.equal(request.code, 'domain_not_listed')
  assert.equal(request.stage, 'sign')
  assert.match(request.advice, /request 合法域名 中加入 http:\/\/127\.0\.0\.1:\d+$/)
})

for (const [ossCode, status, code] of [
  ['EntityTooLarge', 400, 'too_large'],
  ['EntityTooSmall', 400, 'empty_file'],
  ['SecurityTokenExpired', 403, 'form_expired'],
  ['SignatureDoesNotMatch', 403, 'access_denied'],
  ['InternalError', 500, 'oss_unavailable'],
]) {
  test(`${ossCode} of OSS is ${code}`, async (t) => {
    const error = await uploading({ oss: xmlError(status, ossCode, 'text') })(t)
    assert.deepEqual([error.code, error.ossCode, error.statusCode], [code, ossCode, status])
  })
}

for (const [status, code] of [[400, 'bad_request'], [401, 'unauthorized'], [403, 'forbidden'], [429, 'too_many_requests'], [504, 'internal_error']]) {
  test(`an answer ${status} of the gateway, without our error object, is ${code}`, async (t) => {
    const error = await uploading({ sign: { status, body: { ErrorCode: 'Something', ErrorMessage: 'else' } } })(t)
    assert.equal(error.code, code)
    assert.match(error.message, /^[\u4e00-\u9fff]/)
  })
}

for (const body of ['not json', '[]', 'null', '{"uploads": null}', { url: 'http://x' }]) {
  test(`a 200 of the function that is no form (${JSON.stringify(body)}) is bad_answer`, async (t) => {
    assert.equal((await uploading({ sign: { status: 200, body } })(t)).code, 'bad_answer')
  })
}

for (const uploads of [[], [null, null], [{ url: 'http://x' }]]) {
  test(`a list of ${JSON.stringify(uploads)} instead of two forms is bad_answer for both files`, async (t) => {
    const stage = await openStage(t)
    stage.fc.plan.sign.push({ status: 200, body: { uploads } })
    const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')])
    assert.deepEqual(outcomes.map(({ reason }) => reason.code), ['bad_answer', 'bad_answer'])
  })
}

for (const [code, text] of [
  ['too_large', /^文件太大.*请压缩/],
  ['unsupported_type', /^不支持的类型.*content_types/],
  ['unauthorized', /^登录无效.*CALLER_AUTH/],
  ['misconfigured', /^服务出错.*doctor/],
  ['sts_unavailable', /^服务出错.*请重试/],
  ['unknown_profile', /^请求有误.*README/],
  ['callback_failed', /^文件已存好.*不要重传/],
  ['network', /^网络不通.*请稍后重试/],
]) {
  test(`${code} says what happened and what to do`, async (t) => {
    const { message, advice } = await CODES[code][0](t)
    assert.match(`${message} ${advice}`, text)
  })
}

for (const reason of [undefined, null, 'no session']) {
  test(`a getToken that rejects with ${reason} is login_failed`, async (t) => {
    const error = await uploading({ options: { getToken: () => Promise.reject(reason), retries: 0 } })(t)
    assert.deepEqual([error.code, error.stage], ['login_failed', 'login'])
  })
}

test('a getToken that gives nothing is asked twice and no more', async (t) => {
  const wanted = []
  const options = { getToken: ({ refresh }) => { wanted.push(refresh) } }
  const error = await uploading({ sign: jsonError(401, 'unauthorized'), options })(t)
  assert.equal(error.code, 'unauthorized')
  assert.deepEqual(wanted, [false, true])
})

for (const [errMsg, code] of [
  ['uploadFile:fail url not in domain list', 'domain_not_listed'],
  ['uploadFile:fail 不在以下 uploadFile 合法域名列表中', 'domain_not_listed'],
  ['uploadFile:fail timeout', 'timeout'],
  ['uploadFile:fail socket timeout', 'timeout'],
  ['uploadFile:fail 请求超时。', 'timeout'],
  ['uploadFile:fail upload fail:-7:net::ERR_TIMED_OUT', 'timeout'],
  ['uploadFile:fail abort', 'aborted'],
  ['uploadFile:fail interrupted', 'network'],
  ['uploadFile:fail upload fail:-101:net::ERR_CONNECTION_RESET', 'network'],
  ['uploadFile:fail upload fail:-103:net::ERR_CONNECTION_ABORTED', 'network'],
  ['uploadFile:fail file not found', 'file_unreadable'],
  ['uploadFile:fail file error', 'file_unreadable'],
  ['createUploadTask:fail file not exist', 'file_unreadable'],
  ['文件不存在', 'file_unreadable'],
  ['error while sending', 'network'],
  [undefined, 'network'],
]) {
  test(`the platform's ${JSON.stringify(errMsg)} is ${code}`, async (t) => {
    const stage = await openStage(t, { retries: 0 })
    stage.wx.uploadFile = ({ fail }) => { setImmediate(fail, { errMsg }) }
    assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, code)
  })
}

test('a wx.login that fails is login_failed', async (t) => {
  const login = ({ fail }) => fail({ errMsg: 'login:fail system error' })
  const error = await uploading({ options: { wx: { login } } })(t)
  assert.deepEqual([error.code, error.stage], ['login_failed', 'login'])
})

test('a platform that never answers is a timeout all the same', async (t) => {
  const stage = await openStage(t, { retries: 0, timeout: 100 })
  const task = { aborted: false, abort() { this.aborted = true } }
  stage.wx.uploadFile = () => task
  hurryTimers(t)
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'timeout')
  assert.equal(task.aborted, true)
})

test('a platform call that throws is a failure, not a hanging promise', async (t) => {
  const stage = await openStage(t, { retries: 0 })
  stage.wx.uploadFile = () => { throw new Error('parameter error') }
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.equal(error.code, 'network')
  assert.match(error.message, /parameter error/)
})
