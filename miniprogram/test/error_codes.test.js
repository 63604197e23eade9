'use strict'

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { english } = require('../example/utils/oss-direct-upload/english')
const { functionError, ossError, platformError } = require('../example/utils/oss-direct-upload/errors')
const { jsonError, xmlError, DROP, HANG } = require('./servers')
const { openParts, openStage, failureOf, shortPauses, hurryTimers, onStage, testsOn, LEAST_PART, fails, sending } = require('./stage')

const always = (answer) => Array(9).fill(answer)

/** How an error comes about: what is done on a stage to end with it. */
const on = (run, options) => async (t) => run(await openStage(t, options))

const failing = (stage, change) => failureOf(stage.uploader.upload({ ...stage.file(), ...change }).promise)

const uploading = ({ sign, login, oss, options, change }) => on((stage) => {
  const { fc: { plan } } = stage
  for (const [list, answer] of [[plan.sign, sign], [plan.login, login], [stage.oss.plan, oss]]) if (answer) list.push(...always(answer))
  return failing(stage, change)
}, options)

const abortASlowUpload = on(async (stage) => {
  stage.oss.plan.push(HANG)
  const task = await sending(stage)
  task.abort()
  return failureOf(task.promise)
})

const loseAnAnswerUntilTheFormExpires = on((stage) => {
  stage.oss.plan.push(DROP)
  return failing(stage, { onProgress: () => { stage.ahead = 400000 } })
})

const POLICY_FAILED = 'Invalid according to Policy: Policy Condition failed: ["eq", "$key", "a"]'
const onlyRequests = (fc) => ({ domains: { request: [fc.origin], uploadFile: [] } })

const failingPlatform = (res) => on((stage) => {
  stage.wx.uploadFile = ({ fail }) => { setImmediate(fail, res) }
  return failing(stage)
}, { retries: 0 })

const failingPicker = (res) => on(({ uploader }) => uploader.explain(res))

/** `call(uploader)` where the function always gives this answer of the route. */
const answered = (route, call, answer) => on(({ fc, uploader }) => {
  fc.plan[route].push(...always(answer))
  return failureOf(call(uploader))
})

async function refusedByTheGateway(t) {
  shortPauses(t)
  return uploading({ sign: { status: 429, body: { errorCode: 'ResourceExhausted' } } })(t)
}

const BROKEN = '服务出了问题，请联系客服。'
const BUSY = '服务正忙，请稍后再试。'
const TLS = { errMsg: 'uploadFile:fail -202:net::ERR_CERT_AUTHORITY_INVALID' }
const UNDECLARED = { errno: 112, errMsg: 'chooseMedia:fail api scope is not declared in the privacy agreement' }
const NOT_ALLOWED = { errno: 104, errMsg: 'chooseMedia:fail privacy permission is not authorized' }

/** code: [how it comes about, stage, retryable, what the user reads] */
const CODES = {
  interrupted: [failingPlatform({ errMsg: 'uploadFile:fail interrupted' }), 'upload', true, '上传被打断，请再试一次。'],
  tls_failed: [failingPlatform(TLS), 'upload', false, '无法安全连接，请检查网络和手机日期。'],
  privacy_undeclared: [failingPicker(UNDECLARED), undefined, false, BROKEN],
  permission_denied: [failingPicker(NOT_ALLOWED), undefined, false, '没有得到授权，请在设置中允许。'],
  method_not_allowed: [uploading({ sign: jsonError(405, 'method_not_allowed') }), 'sign', false, BROKEN],
  quota_exceeded: [uploading({ sign: jsonError(429, 'quota_exceeded') }), 'sign', false, '今天的上传额度用完了，请明天再试。'],
  quota_unavailable: [uploading({ sign: jsonError(503, 'quota_unavailable') }), 'sign', true, BUSY],
  hooks_unavailable: [uploading({ sign: jsonError(503, 'hooks_unavailable') }), 'sign', true, BUSY],
  bad_file: [uploading({ change: { filePath: '' } }), 'sign', false, BROKEN],
  empty_file: [uploading({ change: { size: 0 } }), 'sign', false, '文件是空的或太小，请换一个。'],
  file_unreadable: [uploading({ change: { filePath: '/nowhere/photo.jpg' } }), 'upload', false, '读不到这个文件，请重新选择。'],
  device_full: [failingPicker({ errMsg: 'chooseMedia:fail write ENOSPC: no space left on device' }), undefined, false, '手机的存储空间不足，请清理后再试。'],
  too_large: [uploading({ sign: jsonError(413, 'too_large') }), 'sign', false, '文件太大，请换一个小一点的。'],
  unsupported_type: [uploading({ sign: jsonError(415, 'unsupported_type') }), 'sign', false, '不支持这种文件，请换一个。'],
  aborted: [abortASlowUpload, 'upload', false, '已取消。'],
  network: [uploading({ oss: DROP }), 'upload', true, '网络不通，请检查后再试。'],
  timeout: [uploading({ oss: HANG, options: { timeout: 30, retries: 1 } }), 'upload', true, '等待太久，请检查网络后再试。'],
  domain_not_listed: [uploading({ options: { wx: onlyRequests } }), 'upload', false, BROKEN],
  login_failed: [uploading({ options: { getToken: () => { throw new Error('no session') } } }), 'login', true, '登录失败，请稍后再试。'],
  bad_answer: [uploading({ sign: { status: 200, body: { accessid: 'x', policy: 'y' } } }), 'sign', false, BROKEN],
  form_expired: [uploading({ oss: xmlError(403, 'AccessDenied', 'Invalid according to Policy: Policy expired.') }), 'upload', true, '上传太慢，请换个网络再试。'],
  access_denied: [uploading({ oss: xmlError(403, 'AccessDenied', POLICY_FAILED) }), 'upload', false, BROKEN],
  file_exists: [uploading({ oss: xmlError(409, 'FileAlreadyExists', 'The object you specified already exists.') }), 'upload', false, '同名的文件已经存在。'],
  oss_rejected: [uploading({ oss: xmlError(400, 'MalformedPOSTRequest', 'The body is not well-formed.') }), 'upload', false, BROKEN],
  oss_unavailable: [uploading({ oss: xmlError(503, 'ServiceUnavailable', 'Please reduce your request rate.') }), 'upload', true, BUSY],
  callback_failed: [uploading({ oss: { ...xmlError(203, 'CallbackFailed', 'Error status : 502.'), store: true } }), 'upload', false, '文件已传好，但登记失败，请勿重传。'],
  unknown_outcome: [loseAnAnswerUntilTheFormExpires, 'upload', false, '文件可能已传好，请先查看再决定是否重传。'],
  not_uploaded: [answered('confirm', ({ confirm }) => confirm('ticket-1'), jsonError(404, 'not_uploaded')), 'confirm', true, '文件还没有传好，请重新上传。'],
  incomplete: [uploading({ sign: jsonError(409, 'incomplete') }), 'sign', true, '文件还没有传完，请继续上传。'],
  upload_gone: [uploading({ sign: jsonError(410, 'upload_gone') }), 'sign', true, '这次上传已经失效，请重新上传。'],
  already_exists: [uploading({ sign: jsonError(409, 'already_exists') }), 'sign', false, '同名的文件已经存在。'],
  already_complete: [uploading({ sign: jsonError(409, 'already_complete') }), 'sign', false, '文件已经传好，不用再传。'],
  already_published: [answered('discard', ({ discard }) => discard('a.receipt'), jsonError(409, 'already_published')), 'discard', false, '文件已经发布，不能撤回。'],
  bad_request: [uploading({ sign: jsonError(400, 'bad_request') }), 'sign', false, BROKEN],
  unknown_profile: [uploading({ sign: jsonError(400, 'unknown_profile') }), 'sign', false, BROKEN],
  unauthorized: [uploading({ sign: jsonError(401, 'unauthorized') }), 'sign', false, '登录已失效，请重新登录。'],
  forbidden: [uploading({ login: jsonError(403, 'forbidden') }), 'login', false, '这个账号没有权限。'],
  not_found: [uploading({ sign: { status: 404, body: '<html>no such page</html>' } }), 'sign', false, BROKEN],
  too_many_requests: [uploading({ sign: jsonError(429, 'too_many_requests') }), 'sign', true, '操作太频繁，请稍后再试。'],
  busy: [refusedByTheGateway, 'sign', true, '服务繁忙，请稍后再试。'],
  misconfigured: [uploading({ sign: jsonError(500, 'misconfigured') }), 'sign', false, BROKEN],
  internal_error: [uploading({ sign: jsonError(500, 'internal_error') }), 'sign', true, BUSY],
  sts_rejected: [uploading({ sign: jsonError(502, 'sts_rejected') }), 'sign', false, BROKEN],
  sts_unavailable: [uploading({ sign: jsonError(503, 'sts_unavailable') }), 'sign', true, BUSY],
  login_rejected: [uploading({ login: jsonError(502, 'login_rejected') }), 'login', false, BROKEN],
  login_unavailable: [uploading({ login: jsonError(503, 'login_unavailable') }), 'login', true, BUSY],
}

/** What the advice about some of them names, beside the page. */
const HINTS = {
  too_large: 'max_size', busy: 'deploy/burst', unsupported_type: 'content_types', unauthorized: 'CALLER_AUTH', misconfigured: 'check-deploy', sts_rejected: 'STS_ROLE_ARN',
  bad_request: 'detail', access_denied: 'doctor', not_found: 'endpoint', unknown_profile: 'profiles.toml', bad_answer: 'endpoint', form_expired: 'expires_in',
  callback_failed: 'CALLBACK_URL', privacy_undeclared: '隐私保护指引',
}
/** More of the error's fields, where it has them. */
const FIELDS = {
  callback_failed: { key: 'uploads/user/1-photo.jpg', uploadId: 'id-1', statusCode: 203, ossCode: 'CallbackFailed' },
  access_denied: { ossCode: 'AccessDenied', requestId: '5F0000000000000000000001', detail: POLICY_FAILED },
  unknown_profile: { statusCode: 400, requestId: 'request-1', detail: 'what is wrong, in English' },
}

for (const [code, [provoke, stage, retryable, message]] of Object.entries(CODES)) {
  test(`an upload ends with ${code}, and its user reads ${message}, or the like in English`, async (t) => {
    const error = await provoke(t)
    const fields = { code, stage, retryable, name: 'OssUploadError', message, ...FIELDS[code] }
    assert.deepEqual(Object.fromEntries(Object.keys(fields).map((name) => [name, error[name]])), fields, error.stack)
    assert.match(message, /^[\u4e00-\u9fff，]+。$/)
    assert.match(english(error), /^[A-Z][ -~]+\.$/)
    if (code === 'callback_failed') assert.match(error.url, /^http.*uploads\/user\/1-photo\.jpg$/)
    if (code === 'domain_not_listed') assert.match(error.advice, /uploadFile 合法域名 中加入 http:\/\/127\.0\.0\.1:\d+$/)
    else assert.ok(error.advice.includes(`错误码表：${code}`) && error.advice.includes(HINTS[code] || '') && error.advice.includes('docs/client.zh-CN.md#错误码'), error.advice)
  })
}

/** What the function answers, as the client tells it. */
const told = (statusCode, code, more, header) => functionError({ statusCode, data: { error: { code, message: 'm', ...more } }, header })
const ofLimits = (code, limits) => told(code === 'too_large' ? 413 : 400, code, { limits })

test('a limit is told in units, never as more than is allowed or as less than is needed', () => {
  for (const [bytes, text] of [
    [2 * 1024 ** 2, '2 MB'], [10 * 1024 ** 2, '10 MB'], [1.5 * 1024 ** 2, '1.5 MB'], [5 * 1024 ** 3, '5 GB'], [48 * 1024 ** 4, '48 TB'],
    [100 * 1024, '100 KB'], [999, '999 B'], [1, '1 B'], [2 * 1024 ** 2 - 1, '1.9 MB'],
  ]) {
    const limits = { maxSize: bytes, minSize: 1, contentTypes: ['image/*'] }
    const error = ofLimits('too_large', limits)
    assert.deepEqual([error.message, error.limits], [`文件太大，最大 ${text}。`, limits])
  }
  for (const [bytes, text] of [[1024, '1 KB'], [2 * 1024 ** 2 - 1, '2 MB'], [999, '999 B'], [1500, '1.5 KB']]) {
    const error = ofLimits('bad_request', { maxSize: 1024 ** 3, minSize: bytes, contentTypes: ['image/*'] })
    assert.deepEqual([error.message, english(error)], [`文件太小，至少要 ${text}。`, `The file is too small. At least ${text}.`])
  }
})

test('types are told by their usual names', () => {
  for (const [contentTypes, text] of [
    [['image/jpeg', 'image/png', 'image/webp'], '支持：JPG、PNG、WEBP'],
    [['image/*', 'video/mp4', 'application/pdf'], '支持：图片、MP4、PDF'],
    [['video/*', 'audio/*'], '支持：视频、音频'],
    [['application/vnd.ms-excel', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'], '支持：Excel'],
    [['application/msword', 'application/x-7z-compressed', 'application/vnd.rar', 'text/plain'], '支持：Word、7Z、RAR、TXT'],
    [['image/jpg', 'image/heic', 'video/quicktime', 'audio/mp4'], '支持：JPG、苹果照片（HEIC）、MOV、M4A'],
    [['*/*'], '请换一个'],
  ]) assert.equal(ofLimits('unsupported_type', { maxSize: 9, minSize: 1, contentTypes }).message, `不支持这种文件，${text}。`)
})

test('a wait is told in seconds or minutes', () => {
  for (const [seconds, text] of [[1, '1 秒'], [45, '45 秒'], [90, '90 秒'], [91, '2 分钟'], [3600, '60 分钟']]) {
    assert.equal(told(429, 'too_many_requests', {}, { 'retry-after': seconds }).message, `操作太频繁，请在 ${text}后再试。`)
  }
})

test('OSS too is answered with the limit of the form', async (t) => {
  const oss = xmlError(400, 'EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size.')
  const error = await uploading({ oss, change: { size: undefined } })(t)
  assert.deepEqual([error.message, error.limits], ['文件太大，最大 1000 B。', { maxSize: 1000 }])
})

test('own texts go before the built-in ones, may use what the error knows, and leave those where they throw', async (t) => {
  const shown = t.mock.method(console, 'error', () => {})
  const texts = ({ code, limits }) => ({ too_large: `头像最多 ${Object(limits).maxSize} 字节。` }[code])
  const sign = { status: 413, body: { error: { code: 'too_large', limits: { maxSize: 5 } } } }
  assert.equal((await uploading({ sign, options: { texts } })(t)).message, '头像最多 5 字节。')
  for (const own of [texts, () => { throw new Error("the page's mistake") }]) {
    assert.equal((await uploading({ sign: jsonError(403, 'forbidden'), options: { texts: own } })(t)).message, '这个账号没有权限。')
  }
  assert.equal(shown.mock.callCount(), 1)
})

test('in English what the error knows is in the sentence as well', () => {
  for (const [code, fields, sentence] of [
    ['too_large', { limits: { maxSize: 2097152 } }, 'The file is too large. At most 2 MB.'],
    ['unsupported_type', { limits: { contentTypes: ['image/jpeg', 'video/*'] } }, 'This kind of file is not accepted. Please choose JPG, videos.'],
    ['unsupported_type', { limits: { contentTypes: ['image/heic', 'application/msword'] } }, 'This kind of file is not accepted. Please choose HEIC, Word.'],
    ['unsupported_type', { limits: { contentTypes: [] } }, 'This kind of file is not accepted. Please choose another one.'],
    ['unsupported_type', { limits: { contentTypes: ['*/*'] } }, 'This kind of file is not accepted. Please choose another one.'],
    ['quota_exceeded', {}, "Today's uploads are used up. Please try again tomorrow."],
    ['too_many_requests', { retryAfter: 1 }, 'Too many requests. Please try again in 1 second.'],
    ['sts_unavailable', { retryAfter: 120 }, 'The service is busy. Please try again in 2 minutes.'],
    ['a_code_to_come', {}, 'Something is wrong with the service. Please contact support.'],
  ]) assert.equal(english({ code, ...fields }), sentence)
})

test('a code of the function that this client does not know is kept, and said in a sentence', () => {
  for (const [status, code, message] of [[500, 'a_code_to_come', BROKEN], [503, 'x_unavailable', BUSY]]) {
    const error = told(status, code)
    assert.deepEqual([error.code, error.message], [code, message])
  }
})

test('a sentence of hooks.py is what the user reads', () => {
  const error = told(403, 'forbidden', { message: 'This service refuses it.', text: '周末不能上传。' })
  assert.deepEqual([error.code, error.message, error.detail], ['forbidden', '周末不能上传。', 'This service refuses it.'])
})

onStage('a word that every object knows is a code, a type and a state like any other', async (stage) => {
  for (const word of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    const error = told(400, word)
    assert.deepEqual([error.code, error.message, error.retryable], [word, BROKEN, false])
    assert.equal(english(error), english({ code: 'a_code_to_come' }))
    const refused = ofLimits('unsupported_type', { maxSize: 9, minSize: 1, contentTypes: [word] })
    assert.equal(refused.message, `不支持这种文件，支持：${word.toUpperCase()}。`)
    assert.equal(english(refused), `This kind of file is not accepted. Please choose ${word.toUpperCase()}.`)
    stage.fc.plan.status.push({ status: 200, body: { results: [{ error: { code: word } }, { key: 'a', state: word }] } })
    const [{ error: ofItem }, { state }] = await stage.uploader.status(['a.receipt', 'b.receipt'])
    assert.deepEqual([ofItem.code, ofItem.message, state], [word, BROKEN, word])
  }
})

test('the table of codes in the documents and the union in the types are those that are tested', () => {
  const chinese = fs.readFileSync(path.join(__dirname, '../../docs/client.zh-CN.md'), 'utf8')
  const table = chinese.split('\n## 错误码')[1].split('\n## ')[0]
  const rows = [...table.matchAll(/^\| `(\w+)` \|.* (是|否) \|$/gm)].map(([, code, yes]) => [code, yes === '是'])
  assert.deepEqual(rows.sort(), Object.entries(CODES).map(([code, [, , retryable]]) => [code, retryable]).sort())
  const types = fs.readFileSync(path.join(__dirname, '../example/utils/oss-direct-upload/index.d.ts'), 'utf8')
  const unions = types.split(/^export type (?:Client|Function)ErrorCode =/m).slice(1).map((text) => text.split(/^export|\/\*\*/m)[0])
  const codes = unions.flatMap((union) => [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code))
  assert.deepEqual(codes.sort(), Object.keys(CODES).sort())
})

test('a missing domain is named with the list of requests, where it belongs there', async (t) => {
  const request = await uploading({ options: { wx: () => ({ domains: { request: [], uploadFile: [] } }), getToken: () => '' } })(t)
  assert.deepEqual([request.code, request.stage], ['domain_not_listed', 'sign'])
  assert.match(request.advice, /request 合法域名 中加入 http:\/\/127\.0\.0\.1:\d+$/)
})

test('what OSS and the gateway answer without our error object has a code', () => {
  for (const [ossCode, status, code] of [
    ['EntityTooLarge', 400, 'too_large'], ['EntityTooSmall', 400, 'empty_file'], ['SecurityTokenExpired', 403, 'form_expired'],
    ['SignatureDoesNotMatch', 403, 'access_denied'], ['InternalError', 500, 'oss_unavailable'],
  ]) {
    const error = ossError(status, xmlError(status, ossCode, 'text').body)
    assert.deepEqual([error.code, error.ossCode, error.statusCode], [code, ossCode, status])
  }
  for (const [status, code] of [[400, 'bad_request'], [401, 'unauthorized'], [403, 'forbidden'], [504, 'internal_error']]) {
    const error = functionError({ statusCode: status, data: { ErrorCode: 'Something', ErrorMessage: 'else' } })
    assert.equal(error.code, code)
    assert.match(error.message, /^[\u4e00-\u9fff]/)
  }
})

test('the answer of another server is told to the developer as a wrong endpoint', () => {
  for (const [statusCode, data, whose] of [
    [404, '<html>no such page</html>', '别的服务器'], [405, '', '别的服务器'], [403, xmlError(403, 'AccessDenied', 'text').body, 'OSS'],
  ]) assert.match(functionError({ statusCode, data }).advice, new RegExp(`^endpoint .*${whose}.*错误码表`))
  for (const ours of [told(404, 'not_found'), functionError({ statusCode: 502, data: '<html>' })]) assert.doesNotMatch(ours.advice, /别的服务器/)
  const silent = platformError({ errMsg: 'request:fail ' }, 'request', 'https://nobody.example.com/login')
  assert.match(silent.advice, /^连不上 https:\/\/nobody\.example\.com：.*make run.*错误码表：network/)
})

test('a size that is not that of the file is the developer’s mistake and not a file too large', async (t) => {
  for (const code of ['EntityTooLarge', 'EntityTooSmall']) {
    const error = await uploading({ change: { size: 5 }, oss: xmlError(400, code, 'text') })(t)
    assert.deepEqual([error.code, error.ossCode, error.message], ['bad_file', code, BROKEN])
    assert.match(error.advice, /size/)
  }
})

test('a user whose data is being deleted reads that, in both languages', () => {
  const error = functionError({ statusCode: 403, data: { error: { code: 'forbidden', message: "This caller's data is being erased." } } })
  assert.match(error.message, /正在删除/)
  assert.match(english(error), /being deleted/)
})

onStage('a 200 of the function without a form for each file is bad_answer for each of a batch', async (stage) => {
  for (const uploads of [[], [null, null], [{ url: 'http://x' }]]) {
    stage.fc.plan.sign.push({ status: 200, body: { uploads } })
    const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')])
    assert.deepEqual(outcomes.map(({ reason }) => reason.code), ['bad_answer', 'bad_answer'])
  }
})

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

test('what platforms say of an upload has a code', () => {
  for (const [errMsg, code] of [
    ['uploadFile:fail url not in domain list', 'domain_not_listed'],
    ['uploadFile:fail 不在以下 uploadFile 合法域名列表中', 'domain_not_listed'],
    ['uploadFile:fail timeout', 'timeout'],
    ['uploadFile:fail socket timeout', 'timeout'],
    ['uploadFile:fail 请求超时。', 'timeout'],
    ['uploadFile:fail upload fail:-7:net::ERR_TIMED_OUT', 'timeout'],
    ['uploadFile:fail abort', 'aborted'],
    ['uploadFile:fail interrupted', 'interrupted'],
    ['uploadFile:fail fail:network interrupted error', 'interrupted'],
    ['request:fail ssl hand shake error', 'tls_failed'],
    ['uploadFile:fail Unable to establish SSL connection', 'tls_failed'],
    ['uploadFile:fail -200:net::ERR_CERT_COMMON_NAME_INVALID', 'tls_failed'],
    ['uploadFile:fail 此服务器的证书无效', 'tls_failed'],
    ['uploadFile:fail exceed max upload size', 'too_large'],
    ['uploadFile:fail file too large', 'too_large'],
    ['uploadFile:fail file not found /tmp/certificate.jpg', 'file_unreadable'],
    ['uploadFile:fail upload fail:-101:net::ERR_CONNECTION_RESET', 'network'],
    ['uploadFile:fail upload fail:-103:net::ERR_CONNECTION_ABORTED', 'network'],
    ['uploadFile:fail file not found', 'file_unreadable'],
    ['uploadFile:fail file error', 'file_unreadable'],
    ['createUploadTask:fail file not exist', 'file_unreadable'],
    ['文件不存在', 'file_unreadable'],
    ['error while sending', 'network'],
    [undefined, 'network'],
  ]) assert.equal(platformError({ errMsg }, 'uploadFile').code, code, errMsg)
})

test('what a picker says has a code, and own texts as well', () => {
  const { explain } = createUploader({ endpoint: 'https://upload.example.com', api: {}, texts: english })
  for (const [res, code] of [
    [{ errMsg: 'chooseMedia:fail cancel' }, 'aborted'],
    [{ errMsg: 'chooseMedia:fail', errno: 112 }, 'privacy_undeclared'],
    [{ errMsg: 'chooseMessageFile:fail appid privacy api banned' }, 'privacy_undeclared'],
    [{ errMsg: 'chooseMedia:fail auth deny' }, 'permission_denied'],
    [{ errMsg: 'chooseImage:fail:system permission denied' }, 'permission_denied'],
    [{ errMsg: "chooseMedia:fail The argument 'size' is invalid" }, 'too_large'],
    [{ errMsg: 'chooseMedia:fail unknown' }, 'network'],
    [{ errMsg: 'chooseMedia:fail:存储空间不足' }, 'device_full'],
    [{ errMsg: 'saveFile:fail the maximum size of the file storage limit is exceeded' }, 'device_full'],
  ]) assert.equal(explain(res).code, code, res.errMsg)
  assert.equal(explain({ errMsg: 'chooseMedia:fail auth deny' }).message, 'Access was not allowed. Please allow it in the settings.')
})

test('a wx.login that fails is login_failed', async (t) => {
  const login = ({ fail }) => fail({ errMsg: 'login:fail system error' })
  const error = await uploading({ options: { wx: { login } } })(t)
  assert.deepEqual([error.code, error.stage], ['login_failed', 'login'])
})

onStage('a platform that never answers is a timeout all the same', { retries: 0, timeout: 100 }, async (stage, t) => {
  const task = { aborted: false, abort() { this.aborted = true } }
  stage.wx.uploadFile = () => task
  hurryTimers(t)
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'timeout')
  assert.equal(task.aborted, true)
})

onStage('a platform call that throws is a failure, not a hanging promise', { retries: 0 }, async (stage) => {
  stage.wx.uploadFile = () => { throw new Error('parameter error') }
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.equal(error.code, 'network')
  assert.match(error.detail, /parameter error/)
})

const VALUES = [null, 0, 5, -1, 0.5, 1e300, true, 'x', '', [], [5], ['a', null], {}, { a: 1 }, [[]]]
const SOME_LIMITS = VALUES.flatMap((odd) => [odd, { maxSize: odd }, { minSize: odd }, { contentTypes: odd }])
const SOME_QUOTAS = VALUES.flatMap((odd) => [odd, ...['filesLeft', 'bytesLeft', 'resetsAt'].map((name) => (
  { filesLeft: 1, bytesLeft: 1024, resetsAt: '2026-11-24T16:00:00Z', [name]: odd }
))])

test('whatever stands where limits, quota and text belong, the code counts and the sentence is whole', () => {
  const bodies = [...SOME_LIMITS.map((limits) => ({ limits })), ...SOME_QUOTAS.map((quota) => ({ quota })), ...VALUES.map((text) => ({ text }))]
  for (const code of ['too_large', 'unsupported_type', 'bad_request', 'quota_exceeded', 'forbidden']) {
    for (const body of bodies) {
      const error = functionError({ statusCode: 400, data: { error: { code, message: 'm', ...body } } })
      assert.equal(error.code, code)
      const wanted = Object(body).text && typeof body.text === 'string' ? body.text : /^[\u4e00-\u9fff][^\[\]{}|]*。$/
      assert.match(error.message, new RegExp(wanted), JSON.stringify(body))
      assert.doesNotMatch(`${error.message} ${english(error)}`, /NaN|undefined|null|object/, JSON.stringify(body))
    }
  }
})

test('a quota that is none is not passed on', () => {
  const whole = { filesLeft: null, bytesLeft: null, resetsAt: '2026-11-24T16:00:00Z' }
  const quotaOf = (quota) => functionError({ statusCode: 429, data: { error: { code: 'quota_exceeded', quota } } }).quota
  assert.deepEqual([quotaOf(whole), quotaOf({ ...whole, filesLeft: 0, bytesLeft: 9 })], [whole, { ...whole, filesLeft: 0, bytesLeft: 9 }])
  for (const odd of ['x', -1, 0.5, true, {}, [5]]) {
    for (const name of ['filesLeft', 'bytesLeft']) assert.equal(quotaOf({ ...whole, [name]: odd }), undefined, `${name} ${odd}`)
  }
  for (const odd of [5, 'x', null, { ...whole, resetsAt: 'soon' }]) assert.equal(quotaOf(odd), undefined)
})

onStage('an item of a status or a deletion whose limits are odd is refused alone', async (stage) => {
  const error = { code: 'forbidden', message: 'm', limits: { contentTypes: null } }
  stage.fc.plan.status.push({ status: 200, body: { results: [{ error }, { key: 'a', state: 'held' }] } })
  stage.fc.plan.delete.push({ status: 200, body: { results: [{ error }, { key: 'b', state: 'gone' }] } })
  const [first, second] = await stage.uploader.status(['a.receipt', 'b.receipt'])
  assert.deepEqual([first.error.code, first.error.stage, second.state], ['forbidden', 'status', 'held'])
  const [kept, deleted] = await stage.uploader.delete(['a', 'b'])
  assert.deepEqual([kept.error.code, kept.error.stage, deleted.state], ['forbidden', 'delete', 'gone'])
})

// --- the uploads of a day

const MIDNIGHT = '2026-11-24T16:00:00Z' // in China
const QUOTA = { filesLeft: 100, bytesLeft: 209715200, resetsAt: MIDNIGHT }

for (const [name, zone, quota, retryAfter, chinese, inEnglish] of [
  ['no file is left', 'Asia/Shanghai', { filesLeft: 0, bytesLeft: 5000 }, 3600, '今天的上传额度用完了，明天 0 点恢复。', "Today's uploads are used up. There are more at 0:00 tomorrow."],
  ['no byte is left', 'Asia/Shanghai', { filesLeft: 7, bytesLeft: 0 }, 86400, '今天的上传额度用完了，明天 0 点恢复。', "Today's uploads are used up. There are more at 0:00 tomorrow."],
  ['too few bytes are left', 'Asia/Shanghai', { filesLeft: null, bytesLeft: 20 * 1024 ** 2 }, 60, '今天的上传额度还剩 20 MB，不够传这些，明天 0 点恢复。', "Today's uploads are down to 20 MB, too little for this. There are more at 0:00 tomorrow."],
  ['too few files are left', 'Asia/Shanghai', { filesLeft: 1, bytesLeft: null }, 60, '今天的上传额度还剩 1 个文件，不够传这些，明天 0 点恢复。', "Today's uploads are down to 1 file, too little for this. There are more at 0:00 tomorrow."],
  ['either may be too few', 'Asia/Shanghai', { filesLeft: 3, bytesLeft: 1024 }, 60, '今天的上传额度还剩 3 个文件、1 KB，不够传这些，明天 0 点恢复。', "Today's uploads are down to 3 files, 1 KB, too little for this. There are more at 0:00 tomorrow."],
  ['the day ends today where the phone is', 'Europe/Berlin', { filesLeft: 0, bytesLeft: null }, 3600, '今天的上传额度用完了，今天 17 点恢复。', "Today's uploads are used up. There are more at 17:00 today."],
]) {
  test(`when ${name}, the user reads ${chinese}`, (t) => {
    const { TZ } = process.env
    t.after(() => (TZ === undefined ? delete process.env.TZ : Object.assign(process.env, { TZ })))
    process.env.TZ = zone
    const error = told(429, 'quota_exceeded', { quota: { resetsAt: MIDNIGHT, ...quota } }, { 'retry-after': retryAfter })
    assert.deepEqual([error.message, english(error)], [chinese, inEnglish])
  })
}

onStage('an upload says what is left of the day, each of a batch for itself, and nothing where there is no quota', async (stage) => {
  assert.equal('quota' in await stage.uploader.upload(stage.file()).promise, false)
  stage.fc.state.quota = QUOTA
  const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')])
  assert.deepEqual(outcomes.map(({ value }) => value.quota), [98, 97].map((filesLeft) => ({ ...QUOTA, filesLeft })))
})

testsOn(openParts)('an upload in parts says it as well', {
  cloud: { profiles: { default: { partSize: LEAST_PART, maxSize: 2 ** 40, parts: true, quota: QUOTA } } },
}, async (stage) => {
  assert.deepEqual((await stage.time.run(stage.upload().promise)).quota, QUOTA)
})

onStage('an upload that is too much for the day is told what is left, and no other try is offered', async (stage) => {
  const quota = { ...QUOTA, filesLeft: 0 }
  stage.fc.plan.sign.push({ status: 429, headers: { 'Retry-After': '3600' }, body: { error: { code: 'quota_exceeded', message: 'm', quota } } })
  await fails(stage.uploader.upload(stage.file()).promise, { code: 'quota_exceeded', quota, retryAfter: 3600, retryable: false })
  assert.equal(stage.fc.signRequests().length, 1)
})
