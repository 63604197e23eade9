'use strict'

/** The URLs of pictures that people may see. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { jsonError, DROP } = require('./servers')
const { openStage, failureOf, until } = require('./stage')

const asked = (stage) => stage.fc.requestsTo('read').map(({ body }) => body.items.map(({ key }) => key))
const keysUpTo = (count) => Array.from({ length: count }, (_, index) => `uploads/user/${index}.jpg`)
const always = (answer) => Array(9).fill(answer)

test('one key gives one URL, a list a list in its order', async (t) => {
  const stage = await openStage(t)
  assert.equal(await stage.uploader.read('a.jpg', { variant: 'thumb' }), `${stage.oss.origin}/a.jpg?x-oss-process=thumb`)
  const urls = await stage.uploader.read(['c.jpg', 'b.jpg', 'c.jpg'])
  assert.deepEqual(urls, ['c', 'b', 'c'].map((name) => `${stage.oss.origin}/${name}.jpg?x-oss-process=null`))
  assert.deepEqual(stage.fc.requestsTo('read').map(({ body }) => body.items), [
    [{ key: 'a.jpg', variant: 'thumb' }], [{ key: 'c.jpg' }, { key: 'b.jpg' }],
  ])
})

test('nothing wanted is nothing asked', async (t) => {
  const stage = await openStage(t)
  assert.deepEqual(await stage.uploader.read([]), [])
  assert.equal(stage.wx.platform.calls.length, 0)
})

for (const [count, calls] of [[50, [50]], [51, [50, 1]], [120, [50, 50, 20]]]) {
  test(`${count} keys are asked for in ${calls.length} calls`, async (t) => {
    const stage = await openStage(t)
    const urls = await stage.uploader.read(keysUpTo(count))
    assert.deepEqual(urls, keysUpTo(count).map((key) => `${stage.oss.origin}/${key}?x-oss-process=null`))
    assert.deepEqual(asked(stage).map(({ length }) => length).sort((one, other) => other - one), calls)
  })
}

test('a URL is used again, for its key and variant alone', async (t) => {
  const stage = await openStage(t)
  const first = await stage.uploader.read(['a.jpg', 'b.jpg'])
  assert.deepEqual(await stage.uploader.read(['b.jpg', 'a.jpg']), [first[1], first[0]])
  assert.equal(await stage.uploader.read('a.jpg'), first[0])
  assert.notEqual(await stage.uploader.read('a.jpg', { variant: 'thumb' }), first[0])
  assert.deepEqual(asked(stage), [['a.jpg', 'b.jpg'], ['a.jpg']])
})

test('only what is not known yet is asked for', async (t) => {
  const stage = await openStage(t)
  await stage.uploader.read(['a.jpg', 'b.jpg'])
  await stage.uploader.read(['c.jpg', 'a.jpg', 'd.jpg'])
  assert.deepEqual(asked(stage), [['a.jpg', 'b.jpg'], ['c.jpg', 'd.jpg']])
})

for (const hours of [-5, 0, 5]) {
  test(`a URL is kept for half of its life on a phone whose clock is ${hours} hours off`, async (t) => {
    const clock = { ahead: 0 }
    const stage = await openStage(t, { now: () => Date.now() + clock.ahead, function: { readSeconds: 600, clockAhead: hours * 3600000 } })
    await stage.uploader.read('a.jpg')
    clock.ahead = 295000
    await stage.uploader.read('a.jpg')
    assert.equal(asked(stage).length, 1)
    clock.ahead = 305000
    await stage.uploader.read('a.jpg')
    assert.equal(asked(stage).length, 2)
  })
}

test('a public URL is kept for good', async (t) => {
  const clock = { ahead: 0 }
  const stage = await openStage(t, { now: () => Date.now() + clock.ahead, function: { readSeconds: null } })
  await stage.uploader.read('a.jpg')
  clock.ahead = 1e12
  await stage.uploader.read('a.jpg')
  assert.equal(asked(stage).length, 1)
})

test('a URL without a readable end is used once', async (t) => {
  const stage = await openStage(t)
  const answer = { body: { items: [{ url: 'https://bucket.example.com/a.jpg', expiresAt: 'soon' }] } }
  stage.fc.plan.read.push(answer, answer)
  assert.equal(await stage.uploader.read('a.jpg'), 'https://bucket.example.com/a.jpg')
  await stage.uploader.read('a.jpg')
  assert.equal(asked(stage).length, 2)
})

test('what is being asked for is not asked for again', async (t) => {
  const stage = await openStage(t)
  const reads = [['a.jpg', 'b.jpg'], 'a.jpg', ['b.jpg', 'c.jpg']].map((keys) => stage.uploader.read(keys))
  const [[a, b], same, [sameB]] = await Promise.all(reads)
  assert.deepEqual([same, sameB], [a, b])
  assert.deepEqual(asked(stage).flat().sort(), ['a.jpg', 'b.jpg', 'c.jpg'])
})

test('at most 500 URLs are kept, those that were asked for last', async (t) => {
  const stage = await openStage(t)
  await stage.uploader.read(keysUpTo(520))
  await stage.uploader.read(keysUpTo(520).slice(20))
  assert.equal(asked(stage).length, 11)
  await stage.uploader.read('uploads/user/0.jpg')
  assert.equal(asked(stage).length, 12)
})

test('a URL that was asked for anew is not the first to be dropped', async (t) => {
  const clock = { ahead: 0 }
  const stage = await openStage(t, { now: () => Date.now() + clock.ahead })
  await stage.uploader.read('old.jpg')
  clock.ahead = 200000
  await stage.uploader.read(keysUpTo(499))
  clock.ahead = 310000
  await stage.uploader.read('old.jpg')
  await stage.uploader.read('one more.jpg')
  const calls = asked(stage).length
  await stage.uploader.read('old.jpg')
  assert.equal(asked(stage).length, calls)
})

test('a list with one key that is refused is refused, in a sentence, and nothing of it is kept', async (t) => {
  const stage = await openStage(t)
  stage.fc.plan.read.push(jsonError(403, 'forbidden'))
  const error = await failureOf(stage.uploader.read(['a.jpg', 'of/another.jpg']))
  assert.deepEqual([error.code, error.stage, error.retryable, error.message], ['forbidden', 'read', false, '这个账号没有权限。'])
  assert.equal(asked(stage).length, 1)
  assert.match(await stage.uploader.read('a.jpg'), /a\.jpg/)
})

test('a key that another asked for beside one that is refused is not refused with it', async (t) => {
  const stage = await openStage(t)
  const refuseOthers = ({ body }) => (body.items.some(({ key }) => key.startsWith('of/')) ? jsonError(403, 'forbidden') : undefined)
  stage.fc.plan.read.push(...always(refuseOthers))
  const all = failureOf(stage.uploader.read(['a.jpg', 'of/another.jpg']))
  const one = stage.uploader.read('a.jpg')
  assert.equal((await all).code, 'forbidden')
  assert.match(await one, /a\.jpg/)
})

test('a network that fails is shared: nobody asks the more for it', async (t) => {
  const stage = await openStage(t, { retries: 0 })
  stage.fc.plan.read.push(...always(DROP))
  const errors = await Promise.all([['a.jpg', 'b.jpg'], 'a.jpg'].map((keys) => failureOf(stage.uploader.read(keys))))
  assert.deepEqual(errors.map(({ code, stage: step }) => [code, step]), [['network', 'read'], ['network', 'read']])
  assert.equal(asked(stage).length, 1)
})

test('what failed is not kept', async (t) => {
  const stage = await openStage(t, { retries: 0 })
  stage.fc.plan.read.push(DROP)
  await failureOf(stage.uploader.read('a.jpg'))
  assert.match(await stage.uploader.read('a.jpg'), /a\.jpg/)
})

for (const body of ['nonsense', {}, { items: [] }, { items: [null, null] }, { items: [{ url: 'https://x.example.com' }] }]) {
  test(`a 200 that has no URL for each key (${JSON.stringify(body)}) is bad_answer`, async (t) => {
    const stage = await openStage(t)
    stage.fc.plan.read.push({ status: 200, body })
    const error = await failureOf(stage.uploader.read(['a.jpg', 'b.jpg']))
    assert.deepEqual([error.code, error.stage, error.message], ['bad_answer', 'read', '服务出了问题，请联系客服。'])
  })
}

test('who logs out leaves no URL to the next', async (t) => {
  const stage = await openStage(t)
  await stage.uploader.read('a.jpg')
  stage.uploader.logOut()
  await stage.uploader.read('a.jpg')
  assert.equal(asked(stage).length, 2)
})

test('a URL that arrives after its user has gone is not kept for the next', async (t) => {
  const stage = await openStage(t)
  const answer = { items: [{ url: 'https://x.example.com/of-who-has-gone', expiresAt: null }], serverTime: new Date().toISOString() }
  stage.fc.plan.read.push({ after: 30, body: answer })
  const first = stage.uploader.read('a.jpg')
  await until(() => asked(stage).length)
  stage.uploader.logOut()
  assert.match(await first, /of-who-has-gone/)
  assert.doesNotMatch(await stage.uploader.read('a.jpg'), /of-who-has-gone/)
})

test('two uploaders share no URL', async (t) => {
  const stage = await openStage(t)
  const other = createUploader({ endpoint: stage.fc.origin, api: stage.wx })
  await stage.uploader.read('a.jpg')
  await other.read('a.jpg')
  assert.equal(asked(stage).length, 2)
})
