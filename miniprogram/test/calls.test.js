'use strict'

/** Calls of the function that are refused, broken off, told to wait or answered with nonsense; when no instance may start, the client tries again, spread over half a minute. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createBrowserApi } = require('../example/utils/oss-direct-upload/browser')
const { english } = require('../example/utils/oss-direct-upload/english')
const { createAlipayApi, createDouyinApi } = require('../example/utils/oss-direct-upload/platforms')
const { createMy, createTt } = require('./other_platforms')
const { jsonError, DROP } = require('./servers')
const { openParts, openStage, failureOf, isStored, shortPauses, until, testsOn, fails } = require('./stage')

const SENTENCE = '服务繁忙，请稍后再试。'
const LIMIT_OF_A_REQUEST = 20000
const JSON_TYPE = { 'content-type': 'application/json' }
const BUSY = { status: 429, body: { errorCode: 'ResourceExhausted', errorMessage: 'no instance' } }
const times = (count, answer = BUSY) => Array(count).fill(answer)
const after = (seconds, status = 429, code = 'too_many_requests') => jsonError(status, code, 'Slow down.', { 'Retry-After': String(seconds) })

async function openBusyStage(t, options) {
  const stage = await openStage(t, options)
  return { ...stage, pauses: shortPauses(t) }
}

const onStage = testsOn(openBusyStage)

const isSpread = (pauses) => assert.ok(
  pauses.every((pause, index) => pause >= 700 * 2 ** (index % 4) && pause <= 1300 * 2 ** (index % 4)), `pauses: ${pauses}`,
)

onStage('a refusal of the gateway, in whatever shape it comes, is busy after five attempts', async (stage) => {
  for (const answer of [
    BUSY, { status: 503, body: { ErrorCode: 'ResourceThrottled' } }, { status: 503, body: { Code: 'ResourceThrottled', Message: 'machines', RequestId: '1-64' } },
    { status: 502, headers: JSON_TYPE, body: 'Internal Server Error' }, { status: 429, headers: JSON_TYPE, body: '' }, { status: 503, body: '<html>Service Unavailable</html>' },
    { status: 429, headers: JSON_TYPE, body: 'null' }, { status: 429, body: { error: 'Too Many Requests' } }, { status: 429, body: { error: { code: 429, message: 'Slow down.' } } },
  ]) {
    const [asked, paused] = [stage.fc.signRequests().length, stage.pauses.length]
    stage.fc.plan.sign.push(...times(5, answer))
    await fails(stage.uploader.upload(stage.file()).promise, { code: 'busy', statusCode: answer.status, retryable: true, message: SENTENCE })
    assert.deepEqual([stage.fc.signRequests().length - asked, stage.pauses.length - paused], [5, 4], JSON.stringify(answer))
  }
  isSpread(stage.pauses)
})

test('our own 429 and 503, and a 500 or 504 of the gateway, are what they were', async (t) => {
  for (const [answer, code] of [
    [jsonError(429, 'too_many_requests'), 'too_many_requests'], [jsonError(503, 'oss_unavailable'), 'oss_unavailable'],
    [{ status: 500, body: '' }, 'internal_error'], [{ status: 504, body: 'x' }, 'internal_error'],
  ]) {
    const stage = await openStage(t, { retries: 1 })
    stage.fc.plan.sign.push(...times(9, answer))
    assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, code)
    assert.equal(stage.fc.signRequests().length, 2)
  }
})

const CALLS = {
  'upload-params': [({ uploader, file }) => uploader.upload(file()).promise, 'sign'],
  login: [({ uploader, file }) => uploader.upload(file()).promise, 'login'],
  read: [({ uploader }) => uploader.read('a.jpg'), 'read'],
  status: [({ uploader }) => uploader.status('receipt.of.ticket-1'), 'status'],
  confirm: [async (stage) => {
    const { confirmed } = await stage.uploader.upload(stage.file()).promise
    assert.equal(confirmed, true)
  }, 'confirm'],
  list: [({ uploader }) => uploader.list().next(), 'list'],
  delete: [({ uploader }) => uploader.delete('uploads/user/a.jpg'), 'delete'],
  discard: [async (stage) => stage.uploader.discard((await stage.uploader.upload(stage.file()).promise).receipt), 'discard'],
}

const OF_A_FORM = { url: 'http://x' }
/** What is no answer of a route. */
const NONSENSE = {
  sign: [...['not json', '[]', 'null', '{"uploads": null}'], OF_A_FORM],
  read: ['nonsense', {}, { items: [] }, { items: [null] }],
  status: ['nonsense', {}, { results: [{ key: 'a.jpg' }] }, { results: [{ state: 'held' }] }],
  list: ['', 'null', {}, { items: {} }],
  delete: [{}, { results: [] }, { results: [{ key: 'a', state: 'held' }] }],
  discard: ['nonsense', {}],
  confirm: ['nonsense', {}, { status: 'ok', receipt: '' }],
}
const ODD_LIMITS = [null, 'image/*', { maxSize: '9' }, { contentTypes: [5] }] // more of them in error_codes.test.js

for (const [route, [call, planned]] of Object.entries(CALLS)) {
  const open = async (t, retries) => {
    const stage = await openBusyStage(t, { retries, function: { tickets: true, held: true } })
    stage.fc.state.uploads.set('receipt.of.ticket-1', { key: 'a.jpg', state: 'held', url: null })
    return stage
  }

  test(`/${route} survives four refusals, not counted as retries`, async (t) => {
    const stage = await open(t, 0)
    stage.fc.plan[planned].push(...times(4))
    await call(stage)
    assert.equal(stage.fc.requestsTo(route).length, 5)
    isSpread(stage.pauses)
  })

  test(`/${route} is asked again after a lost connection and a 503, as long after as it says`, async (t) => {
    const stage = await open(t, 2)
    stage.fc.plan[planned].push(DROP, after(6, 503, 'oss_unavailable'))
    await call(stage)
    assert.deepEqual([stage.fc.requestsTo(route).length, stage.pauses], [3, [6000]])
  })

  test(`/${route} that says nonsense, or a refusal with odd limits, ends in a sentence`, async (t) => {
    const stage = await open(t, 0)
    const failing = planned === 'confirm' ? () => stage.uploader.confirm('ticket-1') : () => call(stage)
    for (const body of NONSENSE[planned] || []) {
      stage.fc.plan[planned].push({ body })
      const error = await failureOf(failing())
      assert.deepEqual([error.code, error.stage, error.message], ['bad_answer', planned, '服务出了问题，请联系客服。'], JSON.stringify(body))
    }
    for (const limits of ODD_LIMITS) {
      stage.fc.plan[planned].push({ status: 415, body: { error: { code: 'unsupported_type', message: 'm', limits } } })
      const error = await failureOf(failing())
      assert.deepEqual([error.code, error.stage, error.message, error.limits], ['unsupported_type', planned, '不支持这种文件，请换一个。', undefined], JSON.stringify(limits))
      assert.equal(english(error), 'This kind of file is not accepted. Please choose another one.')
    }
  })
}

test('a refused login sends a fresh code each time', async (t) => {
  const login = (() => { let count = 0; return ({ success }) => success({ code: `code-${count += 1}` }) })()
  const stage = await openBusyStage(t, { wx: { login } })
  stage.fc.plan.login.push(...times(9))
  await fails(stage.uploader.upload(stage.file()).promise, { code: 'busy', stage: 'login' })
  assert.deepEqual(stage.fc.requestsTo('login').map(({ body }) => body.code), [1, 2, 3, 4, 5].map((count) => `code-${count}`))
})

onStage('files that were refused together stay in one request', { plan: { sign: [...times(3)] } }, async (stage) => {
  const outcomes = await stage.uploader.uploadAll(['a.jpg', 'b.jpg', 'c.jpg'].map((name) => stage.file(name)))
  assert.deepEqual(outcomes.map(({ status }) => status), times(3, 'fulfilled'))
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body.files.length), [3, 3, 3, 3])
})

onStage('other failures between refusals do not begin the five attempts anew', { retries: 2, backoff: 1 }, async (stage) => {
  stage.fc.plan.sign.push(BUSY, BUSY, DROP, BUSY, DROP, BUSY, BUSY, ...times(9))
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'busy')
  assert.equal(stage.fc.plan.sign.length, 9, 'five refusals and two lost connections')
})

test('a break in the background gives no further attempt after the fifth', async (t) => {
  const listeners = {}
  const onAppHide = (listener) => { listeners.hide = listener }
  const onAppShow = (listener) => { listeners.show = listener }
  const stage = await openBusyStage(t, { wx: { onAppHide, onAppShow } })
  Object.assign(stage.wx, { onAppHide, onAppShow })
  stage.fc.plan.sign.push(...times(9))
  const failing = failureOf(stage.uploader.upload(stage.file()).promise)
  await until(() => stage.pauses.length)
  listeners.hide()
  listeners.show()
  assert.equal((await failing).code, 'busy')
  assert.equal(stage.fc.signRequests().length, 5)
})

onStage('an upload that is aborted during a pause asks no more', { plan: { sign: [...times(9)] } }, async (stage) => {
  const task = stage.uploader.upload(stage.file())
  await until(() => stage.pauses.length)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await stage.uploader.status(['a']).catch(Object)
  assert.ok(stage.fc.signRequests().length <= 2)
})

for (const [seconds, count] of [[20, 5], [61, 1]]) {
  onStage(`a refusal with Retry-After: ${seconds} is sent ${count === 1 ? 'no second time' : 'again after that'}`, async (stage, t) => {
    const waits = []
    const real = globalThis.setTimeout
    t.mock.method(globalThis, 'setTimeout', (run, wait = 0, ...args) => {
      if (wait === 1000 * seconds + 0.5) waits.push(wait)
      // The limit of a request stays: on a loaded machine 20 ms are not enough for one.
      return real(run, wait > LIMIT_OF_A_REQUEST ? 20 : wait, ...args)
    })
    stage.fc.plan.sign.push(...times(9, { ...BUSY, headers: { 'Retry-After': `${seconds}.0005` } }))
    await fails(stage.uploader.upload(stage.file()).promise, { code: 'busy', retryable: count > 1 })
    assert.deepEqual([stage.fc.signRequests().length, waits.length], [count, count - 1])
  })
}

for (const [name, open, adapt] of [
  ['Alipay', createMy, ({ my }) => createAlipayApi(my)], ['Douyin', createTt, ({ tt }) => createDouyinApi(tt)],
]) {
  test(`${name} is refused, too, in JSON or in plain text`, async (t) => {
    const platform = open()
    t.after(platform.close)
    const stage = await openBusyStage(t)
    const uploader = createUploader({ endpoint: stage.fc.origin, api: adapt(platform), getToken: () => 'token' })
    stage.fc.plan.sign.push(...times(4), ...times(9, { status: 502, headers: JSON_TYPE, body: 'Internal Server Error' }))
    const error = await failureOf(uploader.upload({ ...stage.file(), fileType: 'image' }).promise)
    assert.deepEqual([error.code, error.statusCode, stage.fc.signRequests().length], ['busy', 502, 5])
  })
}

test('a browser hides a refusal that has no CORS headers: what fails while it is online gets five attempts', async (t) => {
  const pauses = shortPauses(t)
  let calls = 0
  t.mock.method(globalThis, 'fetch', async () => { calls += 1; throw new TypeError('Failed to fetch') })
  const api = { ...createBrowserApi(), onNetworkStatusChange: undefined, offNetworkStatusChange: undefined }
  const uploader = createUploader({ endpoint: 'https://function.test', api, getToken: () => 'token', retries: 2 })
  const error = await failureOf(uploader.read('a.jpg'))
  assert.deepEqual([error.code, error.retryable, calls], ['network', true, 5])
  isSpread(pauses)
})

test('on H5 uni-app hides it as well, and in a mini-program nothing is hidden', async (t) => {
  const { uniApi } = await import('../example/utils/oss-direct-upload/uploader/uni_api.mjs')
  t.after(() => { delete globalThis.uni })
  for (const [uniPlatform, attempts] of [['web', 5], ['mp-weixin', 1]]) {
    const pauses = shortPauses(t)
    let calls = 0
    const request = ({ fail }) => { calls += 1; setImmediate(fail, { errMsg: 'request:fail' }) }
    globalThis.uni = { getSystemInfoSync: () => ({ uniPlatform }), request }
    const uploader = createUploader({ endpoint: 'https://function.test', api: uniApi(), getToken: () => 'token', retries: 0 })
    assert.equal((await failureOf(uploader.read('a.jpg'))).code, 'network')
    assert.deepEqual([calls, pauses.length], [attempts, attempts - 1])
  }
})

test('a browser that says it is offline has the usual retries', async (t) => {
  const pauses = shortPauses(t)
  let calls = 0
  t.mock.method(globalThis, 'fetch', async () => { calls += 1; throw new TypeError('Failed to fetch') })
  let listener
  const api = { ...createBrowserApi(), onNetworkStatusChange: (wanted) => { listener = wanted }, offNetworkStatusChange: undefined }
  const uploader = createUploader({ endpoint: 'https://function.test', api, getToken: () => 'token', retries: 2, timeout: 5, backoff: 1 })
  const failing = failureOf(uploader.read('a.jpg'))
  listener({ isConnected: false })
  assert.equal((await failing).code, 'network')
  assert.deepEqual([calls, pauses], [3, []])
})

test('a large file goes on after refusals of each of its calls', async (t) => {
  const left = new Map()
  const fault = ({ url }) => {
    const route = new URL(url).pathname
    if (!/^\/(login|multipart)/.test(route)) return undefined
    left.set(route, left.has(route) ? left.get(route) - 1 : 4)
    return left.get(route) > 0 ? { statusCode: 429, data: 'busy', header: {} } : undefined
  }
  const stage = openParts(t, { retries: 0, phone: { fault } })
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.ok(left.size >= 3, [...left.keys()].join())
})

// --- Retry-After

for (const [seconds, waits] of [[1, [1000]], [60, [60000]], ['soon', []], ['', []], ['Wed, 25 Nov 2026 12:00:00 GMT', []]]) {
  test(`a Retry-After of ${JSON.stringify(seconds)} is ${waits.length ? 'waited for' : 'none'}`, async (t) => {
    const stage = await openBusyStage(t)
    stage.fc.plan.sign.push(after(seconds))
    await stage.uploader.upload(stage.file()).promise
    assert.deepEqual(stage.pauses, waits)
  })
}

for (const headerName of [(name) => name.toUpperCase(), (name) => name.replace(/\b\w/g, (letter) => letter.toUpperCase())]) {
  onStage(`the name of the header may be written ${headerName('retry-after')}`, { wx: { headerName }, plan: { sign: [after(4)] } }, async (stage) => {
    await stage.uploader.upload(stage.file()).promise
    assert.deepEqual(stage.pauses, [4000])
  })
}

onStage('a wait of more than 60 s is told at once, with its number', { plan: { sign: [after(61)] } }, async (stage) => {
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.retryAfter, error.retryable, error.message], ['too_many_requests', 61, false, '操作太频繁，请在 61 秒后再试。'])
  assert.deepEqual([stage.pauses, stage.fc.signRequests().length], [[], 1])
})

onStage('a backoff that is longer than the Retry-After stays, and adds no retries', { backoff: 8000, retries: 2 }, async (stage) => {
  stage.fc.plan.sign.push(...times(9, after(1, 503, 'sts_unavailable')))
  await fails(stage.uploader.upload(stage.file()).promise, { code: 'sts_unavailable', retryAfter: 1, message: '服务正忙，请在 1 秒后再试。' })
  assert.equal(stage.fc.signRequests().length, 3)
  assert.ok(stage.pauses.every((pause) => pause >= 4000), `pauses: ${stage.pauses}`)
})
