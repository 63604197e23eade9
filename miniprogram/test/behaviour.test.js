'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { jsonError, xmlError, DROP, HANG } = require('./servers')
const { openStage, failureOf, holdPauses, pause, until, onStage, fails } = require('./stage')

const EXPIRED = xmlError(403, 'AccessDenied', 'Invalid according to Policy: Policy expired.')
const BUSY = xmlError(503, 'ServiceUnavailable', 'Please reduce your request rate.')
const turn = () => new Promise((resolve) => { setImmediate(resolve) })

for (const [name, events, ends] of [['without any progress', 0, 1], ['that stops in the middle', 3, 1], ['that goes on, however slowly', 8, 0]]) {
  test(`an upload ${name} ${ends ? 'ends after a minute of silence' : 'is left alone'}`, async (t) => {
    const real = globalThis.setTimeout
    t.mock.method(globalThis, 'setTimeout', (run, wait, ...args) => real(run, wait === 60000 ? 60 : wait, ...args))
    const stage = await openStage(t, { retries: 0 })
    let aborted = 0
    stage.wx.uploadFile = ({ success }) => ({
      abort: () => { aborted += 1 },
      onProgressUpdate: (listener) => Array.from({ length: events }, (_, index) => real(() => {
        listener({ progress: index })
        if (index === 7) success({ statusCode: 200, data: '' })
      }, 30 * index)),
    })
    const began = Date.now()
    const outcome = await stage.uploader.upload(stage.file()).promise.catch(({ code }) => code)
    assert.deepEqual([outcome === 'timeout', aborted], [!!ends, ends])
    assert.ok(Date.now() - began < 5000, 'not after the whole of the limit')
  })
}

onStage('stores the very bytes of the file and answers with its address', async (stage) => {
  const value = await stage.uploader.upload(stage.file('photo.jpg', 'bytes \u0000\u00ff of a photo')).promise
  assert.equal(stage.oss.objects.get(value.key).toString(), 'bytes \u0000\u00ff of a photo')
  assert.deepEqual(stage.oss.posts[0].order, ['key', 'policy', 'success_action_status', 'file'])
  assert.deepEqual(value, {
    key: 'uploads/user/1-photo.jpg',
    url: `${stage.oss.origin}/uploads/user/1-photo.jpg`,
    uploadId: 'id-1',
    statusCode: 200,
    data: '',
    receipt: null,
    confirmed: false,
    exists: false,
    state: 'stored',
    held: false,
  })
})



onStage('sends what is known of the file to the function', { profile: 'avatar' }, async (stage) => {
  await stage.uploader.upload(stage.file('a.jpg', '12345')).promise
  await stage.uploader.upload({ filePath: stage.file('b.png').filePath, profile: 'video' }).promise
  const more = { context: { order: 7, 标题: '合影' }, sha256: 'a'.repeat(64) }
  await stage.uploader.uploadAll([{ ...stage.file('a.jpg'), ...more }, stage.file('b.jpg')])
  const known = { profile: 'avatar', contentType: 'image/jpeg', size: 23 }
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body), [
    { profile: 'avatar', filename: 'a.jpg', contentType: 'image/jpeg', size: 5 },
    { profile: 'video', filename: 'b.png' },
    { files: [{ ...known, filename: 'a.jpg', ...more }, { ...known, filename: 'b.jpg' }] },
  ])
})

onStage('hands the receipt of the callback on', async (stage) => {
  stage.oss.plan.push({ status: 200, store: true, body: { status: 'ok', receipt: 'a.b.c' } })
  const { receipt, data } = await stage.uploader.upload(stage.file()).promise
  assert.equal(receipt, 'a.b.c')
  assert.equal(data.status, 'ok')
})

onStage('takes 200, 201 and 204 for success, and no other status', { retries: 0 }, async (stage) => {
  for (const status of [200, 201, 204, 202, 206, 302, 400, 403, 404]) {
    stage.oss.plan.push({ status, store: status < 202 || status === 204 })
    const { value, reason } = await stage.uploader.upload(stage.file()).outcome
    assert.deepEqual([(value || reason).statusCode, !!value], [status, [200, 201, 204].includes(status)])
  }
})

onStage('files that start together share one request', { concurrency: 10 }, async (stage) => {
  const names = Array.from({ length: 10 }, (_, index) => `photo-${index}.jpg`)
  const outcomes = await stage.uploader.uploadAll(names.map((name) => stage.file(name, name)))
  assert.equal(stage.fc.signRequests().length, 1)
  assert.deepEqual(outcomes.map(({ value }) => stage.oss.objects.get(value.key).toString()), names)
})

onStage('a file is signed only when its turn has come', { concurrency: 1, oss: [HANG] }, async (stage) => {
  const [first] = ['a.jpg', 'b.jpg', 'c.jpg'].map((name) => stage.uploader.upload(stage.file(name)))
  await until(() => stage.oss.posts.length)
  assert.equal(stage.fc.signRequests().length, 1)
  const cancelled = failureOf(first.promise)
  first.abort()
  await cancelled
})

for (const [concurrency, most] of [[3, 3], [50, 10], [1, 1], [0, 1], [-1, 1], [NaN, 1]]) {
  onStage(`with concurrency ${concurrency} at most ${most} uploads are in flight`, { concurrency }, async (stage) => {
    const files = Array.from({ length: 25 }, (_, index) => stage.file(`${index}.jpg`))
    const outcomes = await stage.uploader.uploadAll(files)
    assert.ok(outcomes.every(({ status }) => status === 'fulfilled'))
    assert.equal(stage.wx.platform.mostInFlight, most)
  })
}

onStage('one bad file does not sink those it was signed with', async (stage) => {
  const refuseLarge = ({ body }) => (
    (body.files || [body]).some(({ size }) => size > 10) ? jsonError(413, 'too_large') : undefined
  )
  stage.fc.plan.sign.push(...Array(4).fill(refuseLarge))
  const files = [stage.file('a.jpg', 'small'), stage.file('b.jpg', 'much too large'), stage.file('c.jpg', 'small')]
  const outcomes = await stage.uploader.uploadAll(files)
  assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled'])
  assert.equal(outcomes[1].reason.code, 'too_large')
  assert.equal(stage.oss.objects.size, 2)
})

onStage('a refusal that is not about a file is not asked again for each file', async (stage) => {
  stage.fc.plan.sign.push(...Array(9).fill(jsonError(500, 'misconfigured')))
  const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')])
  assert.deepEqual(outcomes.map(({ reason }) => reason.code), ['misconfigured', 'misconfigured'])
  assert.equal(stage.fc.signRequests().length, 1)
})

for (const [name, answer] of [['a dropped connection', DROP], ['a 503', BUSY], ['a 500', xmlError(500, 'InternalError', 'text')]]) {
  onStage(`tries again with the same form after ${name}`, { oss: [answer, answer] }, async (stage) => {
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual(stage.oss.posts.map(({ fields }) => fields.key), Array(3).fill(value.key))
    assert.equal(stage.fc.signRequests().length, 1)
  })
}

onStage('gives up after the wanted number of retries', { retries: 4, oss: [...Array(9).fill(BUSY)] }, async (stage) => {
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'oss_unavailable')
  assert.equal(stage.oss.posts.length, 5)
})

onStage('an answer lost after storing makes no second object: 409 on the retry means that it is there', async (stage) => {
  stage.oss.plan.push({ drop: true, store: true })
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.statusCode, 409)
  assert.equal(value.receipt, null)
  assert.deepEqual([...stage.oss.objects.keys()], [value.key])
})

onStage('409 on the first attempt is success when the key is ours alone: the network resent the form by itself', async (stage) => {
  stage.fc.plan.sign.push(({ body }) => {
    const key = 'uploads/user/random-id.jpg'
    const formData = { key, policy: 'p' }
    return { status: 200, body: { url: stage.oss.origin, key, uploadId: 'random-id', formData, filename: body.filename } }
  })
  stage.oss.objects.set('uploads/user/random-id.jpg', 'sent by the first of the two')
  const { statusCode, key } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([statusCode, key], [409, 'uploads/user/random-id.jpg'])
})

onStage('409 on the first attempt is a refusal when the key could be of somebody else', async (stage) => {
  stage.oss.objects.set('uploads/user/1-photo.jpg', 'of somebody else')
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'file_exists')
})

onStage('an expired form is renewed once, at once', { retries: 0, oss: [EXPIRED] }, async (stage) => {
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.key, 'uploads/user/2-photo.jpg')
  assert.equal(stage.fc.signRequests().length, 2)
})

onStage('a form that OSS always calls expired is renewed once and no more', { oss: [...Array(9).fill(EXPIRED)] }, async (stage) => {
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'form_expired')
  assert.equal(stage.fc.signRequests().length, 2)
})

onStage('another 403 is no reason for a fresh form', async (stage) => {
  stage.oss.plan.push(xmlError(403, 'AccessDenied', 'You have no right to access this object because of bucket acl.'))
  await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.equal(stage.fc.signRequests().length, 1)
})

onStage('no fresh form is taken while the last one may have stored the file', { oss: [{ drop: true, store: true }, EXPIRED] }, async (stage) => {
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.statusCode, 409)
  assert.equal(stage.oss.objects.size, 1)
  assert.equal(stage.fc.signRequests().length, 1)
})

for (const [how, life, answers] of [['that has run out', 5, []], ['that OSS calls expired', 300, [EXPIRED, EXPIRED]]]) {
  onStage(`after a lost answer a form ${how} ends as an unknown outcome, and tells the page where to look`, { function: { life } }, async (stage) => {
    stage.oss.plan.push({ drop: true, store: true }, ...answers)
    await fails(stage.uploader.upload(stage.file()).promise, { code: 'unknown_outcome', key: 'uploads/user/1-photo.jpg', retryable: false })
    assert.deepEqual([stage.oss.objects.size, stage.fc.signRequests().length], [1, 1])
  })
}

onStage('a form that ran out while OSS was busy is replaced before the next attempt', { function: { life: 5 }, retries: 1, oss: [BUSY] }, async (stage) => {
  const value = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(stage.oss.posts.map(({ fields }) => fields.key), ['uploads/user/1-photo.jpg', value.key])
  assert.equal(value.key, 'uploads/user/2-photo.jpg')
})

onStage('an outcome that is known is told, though the form has run out', { function: { life: 5 } }, async (stage) => {
  stage.oss.plan.push({ ...xmlError(203, 'CallbackFailed', 'Error status : 502.'), store: true })
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'callback_failed')
})

for (const hours of [-5, 5]) {
  onStage(`a phone whose clock is ${hours} hours off uploads all the same`, { function: { clockAhead: hours * 3600000 }, oss: [DROP] }, async (stage) => {
    const value = await stage.uploader.upload(stage.file()).promise
    assert.equal(value.key, 'uploads/user/1-photo.jpg')
  })
}

onStage('waits about twice as long before each further attempt', { backoff: 10, retries: 3 }, async (stage, t) => {
  const waits = []
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait, ...args) => {
    if (wait > 1 && wait < 1000) waits.push(wait) // the others are the limits of calls
    return real(run, wait, ...args)
  })
  stage.oss.plan.push(BUSY, BUSY, BUSY)
  await stage.uploader.upload(stage.file()).promise
  assert.equal(waits.length, 3)
  waits.forEach((wait, index) => assert.ok(wait >= 5 * 2 ** index && wait < 15 * 2 ** index, `waits: ${waits}`))
})

onStage('a content type that is no text fails the upload, and leaves nothing hanging', async (stage) => {
  const error = await failureOf(stage.uploader.upload({ ...stage.file(), contentType: null }).promise)
  assert.equal(error.stage, 'upload')
})

onStage('upload can be handed to map, and uploadAll of nothing is nothing', async (stage, t) => {
  const shown = t.mock.method(console, 'error', () => {})
  const tasks = [stage.file('a.jpg'), stage.file('b.jpg')].map(stage.uploader.upload)
  await Promise.all(tasks.map(({ promise }) => promise))
  assert.deepEqual(await stage.uploader.uploadAll([]), [])
  assert.equal(shown.mock.callCount(), 0)
})

for (const [when, answers, reached, posts, signs] of [
  ['in the turn it started in', [], () => true, 0, 0], ['while it is signed', [], ({ fc }) => fc.requests.length, 0, 1],
  ['while it is sent', [HANG], ({ oss }) => oss.posts.length, 1, 1],
]) {
  onStage(`an upload that is aborted ${when} goes no further, and makes room for the next`, { concurrency: 1, oss: [...answers] }, async (stage) => {
    const task = stage.uploader.upload(stage.file('a.jpg'))
    const next = stage.uploader.upload(stage.file('b.jpg'))
    await until(() => reached(stage))
    task.abort()
    assert.equal((await failureOf(task.promise)).code, 'aborted')
    assert.equal((await next.promise).statusCode, 200)
    await until(() => stage.wx.platform.calls.every(({ settled }) => settled))
    assert.equal(stage.oss.posts.length, posts + 1)
    assert.ok(stage.fc.signRequests().filter(({ body }) => body.filename === 'a.jpg').length <= signs)
  })
}

onStage('an upload is aborted while it waits in the queue, and is never signed', { concurrency: 1 }, async (stage) => {
  const first = stage.uploader.upload(stage.file('a.jpg'))
  const second = stage.uploader.upload(stage.file('b.jpg'))
  second.abort()
  assert.equal((await failureOf(second.promise)).code, 'aborted')
  await first.promise
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body.filename), ['a.jpg'])
})

onStage('an upload that is aborted in the turn its form arrives in is never sent', async (stage) => {
  const tasks = [stage.file('a.jpg'), stage.file('b.jpg')].map((file) => stage.uploader.upload(file))
  const { uploadFile } = stage.wx
  stage.wx.uploadFile = (options) => {
    tasks[1].abort()
    return uploadFile(options)
  }
  assert.equal((await failureOf(tasks[1].promise)).code, 'aborted')
  await tasks[0].promise
  assert.equal(stage.oss.posts.length, 1)
})

onStage('an upload is aborted while it waits for its next attempt', { backoff: 5000 }, async (stage, t) => {
  const waiting = holdPauses(t)
  stage.oss.plan.push(BUSY)
  const task = stage.uploader.upload(stage.file())
  await until(() => waiting.length)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  for (const goOn of waiting) goOn()
  await pause(20)
  assert.equal(stage.oss.posts.length, 1)
})

onStage('aborting a finished upload changes nothing', async (stage) => {
  const task = stage.uploader.upload(stage.file())
  const value = await task.promise
  task.abort()
  assert.equal(await task.promise, value)
})

onStage('progress rises to 100, does not go back on a retry, and knows the bytes', async (stage) => {
  const events = []
  stage.oss.plan.push(BUSY)
  await stage.uploader.upload({ ...stage.file('a.jpg', 'x'.repeat(500000)), onProgress: (event) => events.push(event) }).promise
  assert.ok(events.length > 3)
  assert.ok(events.every((event, index) => index === 0 || event.progress >= events[index - 1].progress))
  assert.deepEqual(events.at(-1), { progress: 100, loaded: 500000, total: 500000 })
})

onStage('progress of a file of unknown size is taken from the platform', async (stage) => {
  const events = []
  const { filePath } = stage.file('a.jpg', 'x'.repeat(1000))
  await stage.uploader.upload({ filePath, onProgress: (event) => events.push(event) }).promise
  assert.equal(events.at(-1).progress, 100)
  assert.ok(events.at(-1).total > 1000)
})

onStage('overall progress counts bytes, not files', { concurrency: 1 }, async (stage) => {
  const events = []
  const files = [stage.file('a.jpg', 'x'.repeat(100)), stage.file('b.jpg', 'x'.repeat(300))]
  await stage.uploader.uploadAll(files, { onProgress: (event) => events.push(event) })
  assert.ok(events.some(({ finished, progress }) => finished === 1 && progress === 25))
  assert.deepEqual(events.at(-1), { progress: 100, loaded: 400, total: 400, finished: 2, failed: 0, count: 2 })
})

onStage('a refused file leaves its part of the overall progress open', async (stage) => {
  const events = []
  stage.fc.plan.sign.push(jsonError(403, 'forbidden'))
  await stage.uploader.uploadAll([stage.file('a.jpg', 'x'.repeat(100))], { onProgress: (event) => events.push(event) })
  assert.deepEqual(events.at(-1), { progress: 0, loaded: 0, total: 100, finished: 1, failed: 1, count: 1 })
})

test('a file that OSS refuses after its last byte is never told as 100 %, alone or in a batch', async (t) => {
  const seen = { file: [], all: [] }
  const stage = await openStage(t, { retries: 0 })
  stage.oss.plan.push(xmlError(403, 'AccessDenied', 'You have no right to access this object.'))
  const file = { ...stage.file('a.jpg', 'x'.repeat(300000)), onProgress: ({ progress }) => seen.file.push(progress) }
  await stage.uploader.uploadAll([file], { onProgress: ({ progress }) => seen.all.push(progress) })
  assert.deepEqual([Math.max(...seen.file), Math.max(...seen.all)], [99, 99])
})

onStage('a batch of which the file of unknown size failed is not told as 100 %', { concurrency: 1 }, async (stage) => {
  const events = []
  stage.oss.plan.push({ status: 200, store: true }, xmlError(403, 'AccessDenied', 'No.'))
  const files = [stage.file('a.jpg'), { filePath: stage.file('b.jpg').filePath }]
  await stage.uploader.uploadAll(files, { onProgress: (event) => events.push(event) })
  assert.equal(events.at(-1).finished, 2)
  assert.equal(Math.max(...events.map(({ progress }) => progress)), 99)
})

onStage('says how each file ended as it ends, with the file and its place', { concurrency: 1 }, async (stage) => {
  const told = []
  stage.fc.plan.sign.push(undefined, jsonError(415, 'unsupported_type'))
  const files = [stage.file('a.jpg'), stage.file('b.txt'), stage.file('c.jpg')]
  const onFile = ({ index, file, status, value, reason }) => {
    told.push([index, file === files[index], status, Object(value || reason).code, stage.oss.objects.size])
  }
  await stage.uploader.uploadAll(files, { onFile })
  assert.deepEqual(told, [
    [0, true, 'fulfilled', undefined, 1], [1, true, 'rejected', 'unsupported_type', 1], [2, true, 'fulfilled', undefined, 2],
  ])
})

onStage('a batch is aborted as a whole: what is stored stays told, the rest ends aborted', { concurrency: 1 }, async (stage) => {
  stage.oss.plan.push({ status: 200, store: true }, HANG)
  const batch = stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg'), stage.file('c.jpg')])
  await until(() => stage.oss.posts.length === 2)
  batch.abort()
  const outcomes = await batch
  assert.deepEqual(outcomes.map(({ status, reason }) => [status, Object(reason).code]), [
    ['fulfilled', undefined], ['rejected', 'aborted'], ['rejected', 'aborted'],
  ])
  await turn()
  assert.equal(stage.oss.posts.length, 2)
})

onStage('aborting a batch leaves the other batch alone', async (stage) => {
  const [one, other] = ['a.jpg', 'b.jpg'].map((name) => stage.uploader.uploadAll([stage.file(name)]))
  one.abort()
  assert.equal((await one)[0].reason.code, 'aborted')
  assert.equal((await other)[0].status, 'fulfilled')
})

onStage('a listener that throws ends no upload', async (stage, t) => {
  const shown = t.mock.method(console, 'error', () => {})
  const onProgress = () => { throw new Error("the page's mistake") }
  const outcomes = await stage.uploader.uploadAll([{ ...stage.file(), onProgress }], { onProgress, onFile: onProgress })
  assert.equal(outcomes[0].status, 'fulfilled')
  assert.ok(shown.mock.callCount() > 0)
})

onStage('overall progress of files of unknown size counts files and never goes back', { concurrency: 2 }, async (stage) => {
  const files = [...'abcdef'].map((name) => ({ filePath: stage.file(`${name}.jpg`, name.repeat(20000)).filePath }))
  const seen = []
  await stage.uploader.uploadAll(files, { onProgress: ({ progress }) => seen.push(progress) })
  assert.deepEqual(seen, [...seen].sort((one, other) => one - other))
  assert.deepEqual(new Set(seen), new Set([0, 16, 33, 50, 66, 83, 100]))
})

onStage('retries: undefined means none, not endless ones', { retries: undefined, oss: [DROP] }, async (stage) => {
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'network')
  assert.equal(stage.oss.posts.length, 1)
})

onStage('a slash at the end of the endpoint and a path in it are fine', async (stage) => {
  const uploader = createUploader({ endpoint: `${stage.fc.origin}/some/prefix//`, api: stage.wx })
  await uploader.upload(stage.file()).promise
  assert.deepEqual(stage.fc.requests.map(({ url }) => url), ['/some/prefix/login', '/some/prefix/upload-params'])
})

test('says what is missing when it is made without an endpoint or an api', () => {
  assert.throws(() => createUploader({ api: {} }), /endpoint/)
  assert.throws(() => createUploader({ endpoint: 'https://upload.example.com' }), /api/)
})

for (const [options, named, meant] of [
  [{ endpiont: 'https://a.example.com' }, 'endpiont', 'endpoint'],
  [{ timout: 5000 }, 'timout', 'timeout'],
  [{ gettoken: () => '' }, 'gettoken', 'getToken'],
  [{ url: 'https://a.example.com' }, 'url', undefined],
]) {
  test(`the developer reads in the console that ${named} is no option${meant ? `, but ${meant} is` : ''}`, (t) => {
    const warned = t.mock.method(console, 'warn', () => {})
    createUploader({ endpoint: 'https://a.example.com', api: {}, ...options })
    const [line, ...others] = warned.mock.calls.map((call) => call.arguments[0])
    assert.deepEqual([others, line.match(/\w+/g)], [[], ['createUploader', named, meant].filter(Boolean)])
  })
}

test('options that exist are no news, and a path in the endpoint is', async (t) => {
  const warned = t.mock.method(console, 'warn', () => {})
  await openStage(t, { timeout: 9, concurrency: 1, retries: 1, backoff: 1, digest: {}, user: 'a', profile: 'avatar', texts: String })
  createLargeUploader({ endpoint: 'https://a.example.com', api: {}, partsFrom: 1 })
  assert.equal(warned.mock.callCount(), 0)
  createUploader({ endpoint: 'https://a.example.com/upload-params/', api: {} })
  assert.match(warned.mock.calls[0].arguments[0], /endpoint.*upload-params/)
})
