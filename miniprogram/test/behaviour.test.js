'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { jsonError, xmlError, DROP, HANG } = require('./servers')
const { openStage, failureOf, holdPauses, pause, until } = require('./stage')

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

test('stores the very bytes of the file and answers with its address', async (t) => {
  const stage = await openStage(t)
  const value = await stage.uploader.upload(stage.file('photo.jpg', 'bytes \u0000\u00ff of a photo')).promise
  assert.equal(stage.oss.objects.get(value.key).toString(), 'bytes \u0000\u00ff of a photo')
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

test('posts every field of the form before the file, and nothing else', async (t) => {
  const stage = await openStage(t)
  await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(stage.oss.posts[0].order, ['key', 'policy', 'success_action_status', 'file'])
})

test('sends what is known of the file to the function', async (t) => {
  const stage = await openStage(t, { profile: 'avatar' })
  await stage.uploader.upload(stage.file('a.jpg', '12345')).promise
  await stage.uploader.upload({ filePath: stage.file('b.png').filePath, profile: 'video' }).promise
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body), [
    { profile: 'avatar', filename: 'a.jpg', contentType: 'image/jpeg', size: 5 },
    { profile: 'video', filename: 'b.png' },
  ])
})

test('hands the context and the digest of a file on as they are', async (t) => {
  const stage = await openStage(t)
  const sha256 = 'a'.repeat(64)
  await stage.uploader.uploadAll([{ ...stage.file('a.jpg'), context: { order: 7, 标题: '合影' }, sha256 }, stage.file('b.jpg')])
  const [{ files }] = stage.fc.signRequests().map(({ body }) => body)
  assert.deepEqual(files.map(({ context, sha256: digest }) => [context, digest]), [[{ order: 7, 标题: '合影' }, sha256], [undefined, undefined]])
})

test('hands the receipt of the callback on', async (t) => {
  const stage = await openStage(t)
  stage.oss.plan.push({ status: 200, store: true, body: { status: 'ok', receipt: 'a.b.c' } })
  const { receipt, data } = await stage.uploader.upload(stage.file()).promise
  assert.equal(receipt, 'a.b.c')
  assert.equal(data.status, 'ok')
})

for (const status of [200, 201, 204]) {
  test(`takes ${status} for success`, async (t) => {
    const stage = await openStage(t)
    stage.oss.plan.push({ status, store: true })
    assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, status)
  })
}

for (const status of [202, 206, 302, 400, 403, 404]) {
  test(`does not take ${status} for success`, async (t) => {
    const stage = await openStage(t)
    stage.oss.plan.push({ status })
    assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).statusCode, status)
  })
}

test('files that start together share one request', async (t) => {
  const stage = await openStage(t, { concurrency: 10 })
  const names = Array.from({ length: 10 }, (_, index) => `photo-${index}.jpg`)
  const outcomes = await stage.uploader.uploadAll(names.map((name) => stage.file(name, name)))
  assert.equal(stage.fc.signRequests().length, 1)
  assert.deepEqual(outcomes.map(({ value }) => stage.oss.objects.get(value.key).toString()), names)
})

test('a file is signed only when its turn has come', async (t) => {
  const stage = await openStage(t, { concurrency: 1 })
  stage.oss.plan.push(HANG)
  const [first] = ['a.jpg', 'b.jpg', 'c.jpg'].map((name) => stage.uploader.upload(stage.file(name)))
  await until(() => stage.oss.posts.length)
  assert.equal(stage.fc.signRequests().length, 1)
  const cancelled = failureOf(first.promise)
  first.abort()
  await cancelled
})

for (const [concurrency, most] of [[3, 3], [50, 10], [1, 1], [0, 1], [-1, 1], [NaN, 1]]) {
  test(`with concurrency ${concurrency} at most ${most} uploads are in flight`, async (t) => {
    const stage = await openStage(t, { concurrency })
    const files = Array.from({ length: 25 }, (_, index) => stage.file(`${index}.jpg`))
    const outcomes = await stage.uploader.uploadAll(files)
    assert.ok(outcomes.every(({ status }) => status === 'fulfilled'))
    assert.equal(stage.wx.platform.mostInFlight, most)
  })
}

test('one bad file does not sink those it was signed with', async (t) => {
  const stage = await openStage(t)
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

test('a refusal that is not about a file is not asked again for each file', async (t) => {
  const stage = await openStage(t)
  stage.fc.plan.sign.push(...Array(9).fill(jsonError(500, 'misconfigured')))
  const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')])
  assert.deepEqual(outcomes.map(({ reason }) => reason.code), ['misconfigured', 'misconfigured'])
  assert.equal(stage.fc.signRequests().length, 1)
})

for (const [name, answer] of [['a dropped connection', DROP], ['a 503', BUSY], ['a 500', xmlError(500, 'InternalError', 'text')]]) {
  test(`tries again with the same form after ${name}`, async (t) => {
    const stage = await openStage(t)
    stage.oss.plan.push(answer, answer)
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual(stage.oss.posts.map(({ fields }) => fields.key), Array(3).fill(value.key))
    assert.equal(stage.fc.signRequests().length, 1)
  })
}

test('gives up after the wanted number of retries', async (t) => {
  const stage = await openStage(t, { retries: 4 })
  stage.oss.plan.push(...Array(9).fill(BUSY))
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'oss_unavailable')
  assert.equal(stage.oss.posts.length, 5)
})

test('an answer lost after storing makes no second object: 409 on the retry means that it is there', async (t) => {
  const stage = await openStage(t)
  stage.oss.plan.push({ drop: true, store: true })
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.statusCode, 409)
  assert.equal(value.receipt, null)
  assert.deepEqual([...stage.oss.objects.keys()], [value.key])
})

test('409 on the first attempt is success when the key is ours alone: the network resent the form by itself', async (t) => {
  const stage = await openStage(t)
  stage.fc.plan.sign.push(({ body }) => {
    const key = 'uploads/user/random-id.jpg'
    const formData = { key, policy: 'p' }
    return { status: 200, body: { url: stage.oss.origin, key, uploadId: 'random-id', formData, filename: body.filename } }
  })
  stage.oss.objects.set('uploads/user/random-id.jpg', 'sent by the first of the two')
  const { statusCode, key } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([statusCode, key], [409, 'uploads/user/random-id.jpg'])
})

test('409 on the first attempt is a refusal when the key could be of somebody else', async (t) => {
  const stage = await openStage(t)
  stage.oss.objects.set('uploads/user/1-photo.jpg', 'of somebody else')
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'file_exists')
})

test('an expired form is renewed once, at once', async (t) => {
  const stage = await openStage(t, { retries: 0 })
  stage.oss.plan.push(EXPIRED)
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.key, 'uploads/user/2-photo.jpg')
  assert.equal(stage.fc.signRequests().length, 2)
})

test('a form that OSS always calls expired is renewed once and no more', async (t) => {
  const stage = await openStage(t)
  stage.oss.plan.push(...Array(9).fill(EXPIRED))
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'form_expired')
  assert.equal(stage.fc.signRequests().length, 2)
})

test('another 403 is no reason for a fresh form', async (t) => {
  const stage = await openStage(t)
  stage.oss.plan.push(xmlError(403, 'AccessDenied', 'You have no right to access this object because of bucket acl.'))
  await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.equal(stage.fc.signRequests().length, 1)
})

test('no fresh form is taken while the last one may have stored the file', async (t) => {
  const stage = await openStage(t)
  stage.oss.plan.push({ drop: true, store: true }, EXPIRED)
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.statusCode, 409)
  assert.equal(stage.oss.objects.size, 1)
  assert.equal(stage.fc.signRequests().length, 1)
})

test('a form that OSS calls expired after a lost answer ends as an unknown outcome, not as one to repeat', async (t) => {
  const stage = await openStage(t)
  stage.oss.plan.push({ drop: true, store: true }, EXPIRED, EXPIRED)
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.key, error.retryable], ['unknown_outcome', 'uploads/user/1-photo.jpg', false])
  assert.equal(stage.oss.objects.size, 1)
  assert.equal(stage.fc.signRequests().length, 1)
})

test('a form that ran out while OSS was busy is replaced before the next attempt', async (t) => {
  const stage = await openStage(t, { function: { life: 5 }, retries: 1 })
  stage.oss.plan.push(BUSY)
  const value = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(stage.oss.posts.map(({ fields }) => fields.key), ['uploads/user/1-photo.jpg', value.key])
  assert.equal(value.key, 'uploads/user/2-photo.jpg')
})

test('when the outcome is unknown and the form has run out, the page is told where to look', async (t) => {
  const stage = await openStage(t, { function: { life: 5 } })
  stage.oss.plan.push({ drop: true, store: true })
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.key, error.retryable], ['unknown_outcome', 'uploads/user/1-photo.jpg', false])
  assert.equal(stage.oss.objects.size, 1)
})

test('an outcome that is known is told, though the form has run out', async (t) => {
  const stage = await openStage(t, { function: { life: 5 } })
  stage.oss.plan.push({ ...xmlError(203, 'CallbackFailed', 'Error status : 502.'), store: true })
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'callback_failed')
})

for (const hours of [-5, 5]) {
  test(`a phone whose clock is ${hours} hours off uploads all the same`, async (t) => {
    const stage = await openStage(t, { function: { clockAhead: hours * 3600000 } })
    stage.oss.plan.push(DROP)
    const value = await stage.uploader.upload(stage.file()).promise
    assert.equal(value.key, 'uploads/user/1-photo.jpg')
  })
}

for (const [name, answer] of [
  ['a dropped connection', DROP],
  ['a 503', jsonError(503, 'sts_unavailable')],
  ['a 429', jsonError(429, 'too_many_requests')],
]) {
  test(`asks the function again after ${name}`, async (t) => {
    const stage = await openStage(t)
    stage.fc.plan.sign.push(answer, answer)
    assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
    assert.equal(stage.fc.signRequests().length, 3)
  })
}

test('waits about twice as long before each further attempt', async (t) => {
  const stage = await openStage(t, { backoff: 10, retries: 3 })
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

test('a content type that is no text fails the upload, and leaves nothing hanging', async (t) => {
  const stage = await openStage(t)
  const error = await failureOf(stage.uploader.upload({ ...stage.file(), contentType: null }).promise)
  assert.equal(error.stage, 'upload')
})

test('upload can be handed to map', async (t) => {
  const stage = await openStage(t)
  const shown = t.mock.method(console, 'error', () => {})
  const tasks = [stage.file('a.jpg'), stage.file('b.jpg')].map(stage.uploader.upload)
  await Promise.all(tasks.map(({ promise }) => promise))
  assert.equal(shown.mock.callCount(), 0)
})

test('an upload is aborted while it is sent, and is not tried again', async (t) => {
  const stage = await openStage(t)
  stage.oss.plan.push(HANG)
  const task = stage.uploader.upload(stage.file())
  await until(() => stage.oss.posts.length)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await turn()
  assert.equal(stage.oss.posts.length, 1)
  assert.ok(stage.wx.platform.calls.every(({ settled }) => settled))
})

test('an upload is aborted while it waits in the queue, and is never signed', async (t) => {
  const stage = await openStage(t, { concurrency: 1 })
  const first = stage.uploader.upload(stage.file('a.jpg'))
  const second = stage.uploader.upload(stage.file('b.jpg'))
  second.abort()
  assert.equal((await failureOf(second.promise)).code, 'aborted')
  await first.promise
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body.filename), ['a.jpg'])
})

test('an upload that is aborted in the turn it started in is never signed', async (t) => {
  const stage = await openStage(t)
  const task = stage.uploader.upload(stage.file('a.jpg'))
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await stage.uploader.upload(stage.file('b.jpg')).promise
  assert.deepEqual(stage.fc.signRequests().map(({ body }) => body.filename), ['b.jpg'])
})

test('an upload is aborted while it is signed, and is never sent', async (t) => {
  const stage = await openStage(t)
  const task = stage.uploader.upload(stage.file())
  await until(() => stage.fc.requests.length)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  await until(() => stage.wx.platform.calls.every(({ settled }) => settled))
  await turn()
  assert.equal(stage.oss.posts.length, 0)
})

test('an upload that is aborted in the turn its form arrives in is never sent', async (t) => {
  const stage = await openStage(t)
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

test('an upload is aborted while it waits for its next attempt', async (t) => {
  const stage = await openStage(t, { backoff: 5000 })
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

test('an aborted upload makes room for the next at once', async (t) => {
  const stage = await openStage(t, { concurrency: 1 })
  stage.oss.plan.push(HANG)
  const first = stage.uploader.upload(stage.file('a.jpg'))
  const second = stage.uploader.upload(stage.file('b.jpg'))
  await until(() => stage.oss.posts.length)
  first.abort()
  await failureOf(first.promise)
  assert.equal((await second.promise).statusCode, 200)
})

test('aborting a finished upload changes nothing', async (t) => {
  const stage = await openStage(t)
  const task = stage.uploader.upload(stage.file())
  const value = await task.promise
  task.abort()
  assert.equal(await task.promise, value)
})

test('progress rises to 100 and knows the bytes', async (t) => {
  const events = []
  const stage = await openStage(t)
  const content = 'x'.repeat(500000)
  await stage.uploader.upload({ ...stage.file('a.jpg', content), onProgress: (event) => events.push(event) }).promise
  assert.ok(events.length > 3)
  assert.ok(events.every((event, index) => index === 0 || event.progress >= events[index - 1].progress))
  assert.deepEqual(events.at(-1), { progress: 100, loaded: 500000, total: 500000 })
})

test('progress does not go back on a retry', async (t) => {
  const seen = []
  const stage = await openStage(t)
  stage.oss.plan.push(BUSY)
  const file = stage.file('a.jpg', 'x'.repeat(300000))
  await stage.uploader.upload({ ...file, onProgress: ({ progress }) => seen.push(progress) }).promise
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b))
})

test('progress of a file of unknown size is taken from the platform', async (t) => {
  const events = []
  const stage = await openStage(t)
  const { filePath } = stage.file('a.jpg', 'x'.repeat(1000))
  await stage.uploader.upload({ filePath, onProgress: (event) => events.push(event) }).promise
  assert.equal(events.at(-1).progress, 100)
  assert.ok(events.at(-1).total > 1000)
})

test('overall progress counts bytes, not files', async (t) => {
  const events = []
  const stage = await openStage(t, { concurrency: 1 })
  const files = [stage.file('a.jpg', 'x'.repeat(100)), stage.file('b.jpg', 'x'.repeat(300))]
  await stage.uploader.uploadAll(files, { onProgress: (event) => events.push(event) })
  assert.ok(events.some(({ finished, progress }) => finished === 1 && progress === 25))
  assert.deepEqual(events.at(-1), { progress: 100, loaded: 400, total: 400, finished: 2, failed: 0, count: 2 })
})

test('a refused file leaves its part of the overall progress open', async (t) => {
  const events = []
  const stage = await openStage(t)
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

test('a batch of which the file of unknown size failed is not told as 100 %', async (t) => {
  const events = []
  const stage = await openStage(t, { concurrency: 1 })
  stage.oss.plan.push({ status: 200, store: true }, xmlError(403, 'AccessDenied', 'No.'))
  const files = [stage.file('a.jpg'), { filePath: stage.file('b.jpg').filePath }]
  await stage.uploader.uploadAll(files, { onProgress: (event) => events.push(event) })
  assert.equal(events.at(-1).finished, 2)
  assert.equal(Math.max(...events.map(({ progress }) => progress)), 99)
})

test('says how each file ended as it ends, with the file and its place', async (t) => {
  const told = []
  const stage = await openStage(t, { concurrency: 1 })
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

test('a batch is aborted as a whole: what is stored stays told, the rest ends aborted', async (t) => {
  const stage = await openStage(t, { concurrency: 1 })
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

test('aborting a batch leaves the other batch alone', async (t) => {
  const stage = await openStage(t)
  const [one, other] = ['a.jpg', 'b.jpg'].map((name) => stage.uploader.uploadAll([stage.file(name)]))
  one.abort()
  assert.equal((await one)[0].reason.code, 'aborted')
  assert.equal((await other)[0].status, 'fulfilled')
})

test('a listener that throws ends no upload', async (t) => {
  const stage = await openStage(t)
  const shown = t.mock.method(console, 'error', () => {})
  const onProgress = () => { throw new Error("the page's mistake") }
  const outcomes = await stage.uploader.uploadAll([{ ...stage.file(), onProgress }], { onProgress, onFile: onProgress })
  assert.equal(outcomes[0].status, 'fulfilled')
  assert.ok(shown.mock.callCount() > 0)
})

test('overall progress of files of unknown size counts files and never goes back', async (t) => {
  const stage = await openStage(t, { concurrency: 2 })
  const files = [...'abcdef'].map((name) => ({ filePath: stage.file(`${name}.jpg`, name.repeat(20000)).filePath }))
  const seen = []
  await stage.uploader.uploadAll(files, { onProgress: ({ progress }) => seen.push(progress) })
  assert.deepEqual(seen, [...seen].sort((one, other) => one - other))
  assert.deepEqual(new Set(seen), new Set([0, 16, 33, 50, 66, 83, 100]))
})

test('retries: undefined means none, not endless ones', async (t) => {
  const stage = await openStage(t, { retries: undefined })
  stage.oss.plan.push(DROP)
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'network')
  assert.equal(stage.oss.posts.length, 1)
})

test('uploadAll of nothing is nothing', async (t) => {
  const stage = await openStage(t)
  assert.deepEqual(await stage.uploader.uploadAll([]), [])
})

test('a slash at the end of the endpoint and a path in it are fine', async (t) => {
  const stage = await openStage(t)
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
