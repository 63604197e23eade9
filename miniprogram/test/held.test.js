'use strict'

/** What is stored but may not be seen yet: how an upload says so, what becomes of it, and how it is taken back. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { english } = require('../example/utils/oss-direct-upload/english')
const { jsonError, DROP, HANG } = require('./servers')
const { openStage, failureOf, until } = require('./stage')

/** A stage where what is uploaded is held. */
const openHeld = (t, { function: ofFunction, ...options } = {}) => (
  openStage(t, { function: { tickets: true, held: true, ...ofFunction }, ...options })
)
const asked = (stage, route) => stage.fc.requestsTo(route)
const always = (answer) => Array(9).fill(answer)
const standingOf = ({ state, held }) => [state, held]

/** Receipts of uploads that stand like this. */
function uploadsThat(stage, ...states) {
  return states.map((state, index) => {
    const receipt = `receipt.number.${index}`
    const url = state === 'published' ? `https://cdn.example.com/posts/${index}.jpg` : null
    stage.fc.state.uploads.set(receipt, { key: `posts/${index}.jpg`, state, url })
    return receipt
  })
}

test('an upload says that it is held, and has its receipt all the same', async (t) => {
  const stage = await openHeld(t)
  const value = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(standingOf(value), ['held', true])
  assert.deepEqual([value.receipt, value.confirmed, value.data.state], ['receipt.of.ticket-1', true, 'held'])
})

test('an upload without a ticket is what its form says', async (t) => {
  for (const held of [true, false]) {
    const stage = await openHeld(t, { function: { tickets: false, held } })
    stage.oss.plan.push({ status: 200, store: true, body: { status: 'ok', receipt: 'of.the.callback' } })
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([value.receipt, ...standingOf(value)], ['of.the.callback', held ? 'held' : 'stored', held])
  }
})

test('an upload that could not be confirmed is held as its form says', async (t) => {
  const stage = await openHeld(t)
  stage.fc.plan.confirm.push(jsonError(403, 'forbidden'))
  const value = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([...standingOf(value), value.confirmed, value.ticket], ['held', true, false, 'ticket-1'])
})

for (const [state, held] of [['checking', true], ['review', true], ['published', false], ['rejected', false], ['gone', false]]) {
  test(`an upload that is ${state} when it is confirmed says so`, async (t) => {
    const stage = await openHeld(t)
    stage.fc.state.uploads.set('receipt.of.ticket-1', { key: 'posts/1.jpg', state, url: null })
    assert.deepEqual(standingOf(await stage.uploader.upload(stage.file()).promise), [state, held])
  })
}

for (const [held, state] of [[true, 'held'], [undefined, 'stored']]) {
  test(`bytes that were there already are ${state}, as the function says`, async (t) => {
    const stage = await openStage(t)
    const body = { exists: true, key: 'album/a.jpg', fileUrl: 'https://x/album/a.jpg', uploadId: 'id', receipt: 'a.b.c', held, serverTime: new Date().toISOString() }
    stage.fc.plan.sign.push({ body })
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([value.exists, ...standingOf(value)], [true, state, Boolean(held)])
  })
}

test('one receipt gives one standing, and nobody has to log in', async (t) => {
  const stage = await openHeld(t)
  const { receipt, key } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(await stage.uploader.status(receipt), { key, state: 'held', url: null })
  const [{ headers, body }] = asked(stage, 'status')
  assert.deepEqual([headers.authorization, body], [undefined, { receipts: [receipt] }])
})

test('several receipts give a list in their order', async (t) => {
  const stage = await openHeld(t)
  const receipts = uploadsThat(stage, 'published', 'checking', 'rejected', 'review', 'gone')
  const found = await stage.uploader.status([...receipts].reverse())
  assert.deepEqual(found.map(({ state }) => state), ['gone', 'review', 'rejected', 'checking', 'published'])
  assert.deepEqual(found.at(-1), { key: 'posts/0.jpg', state: 'published', url: 'https://cdn.example.com/posts/0.jpg' })
})

test('until when something is held is told while it is held', async (t) => {
  const stage = await openHeld(t)
  const [receipt] = uploadsThat(stage, 'checking')
  stage.fc.state.uploads.get(receipt).heldUntil = '2026-11-26T12:00:00Z'
  assert.deepEqual(await stage.uploader.status(receipt), { key: 'posts/0.jpg', state: 'checking', url: null, heldUntil: '2026-11-26T12:00:00Z' })
})

test('a receipt that was asked about too often says how long to wait', async (t) => {
  const stage = await openHeld(t)
  stage.fc.plan.status.push({ body: { results: [{ error: { code: 'too_many_requests', message: 'Slow down.', retryAfter: 45 } }] } })
  const [{ error }] = await stage.uploader.status(['often'])
  assert.deepEqual([error.code, error.retryAfter, error.message], ['too_many_requests', 45, '操作太频繁，请在 45 秒后再试。'])
})

test('no receipts are nothing asked', async (t) => {
  const stage = await openHeld(t)
  assert.deepEqual(await stage.uploader.status([]), [])
  assert.equal(stage.wx.platform.calls.length, 0)
})

for (const [count, calls] of [[20, [20]], [21, [1, 20]], [45, [20, 20, 5]]]) {
  test(`${count} receipts are asked for in ${calls.length} calls, and answered in order`, async (t) => {
    const stage = await openHeld(t)
    const receipts = uploadsThat(stage, ...Array(count).fill('checking'))
    const found = await stage.uploader.status(receipts)
    assert.deepEqual(found.map(({ key }) => key), receipts.map((_, index) => `posts/${index}.jpg`))
    assert.deepEqual(asked(stage, 'status').map(({ body }) => body.receipts.length).sort(), calls.sort())
  })
}

test('a receipt that is refused spoils no other', async (t) => {
  const stage = await openHeld(t)
  const [good] = uploadsThat(stage, 'published')
  const [first, second, third] = await stage.uploader.status([good, 'forged.by.hand', good])
  assert.deepEqual([first.state, third.state, second.state], ['published', 'published', undefined])
  const { name, code, stage: where, message, requestId } = second.error
  assert.deepEqual([name, code, where, requestId], ['OssUploadError', 'forbidden', 'status', 'request-1'])
  assert.equal(message, '这个账号没有权限。')
})

test('one receipt that is refused is a failure', async (t) => {
  const stage = await openHeld(t, { texts: english })
  const error = await failureOf(stage.uploader.status('forged.by.hand'))
  assert.deepEqual([error.code, error.stage, error.retryable], ['forbidden', 'status', false])
  assert.equal(error.message, 'This account may not do this.')
})

test('own texts are used for the receipts of a list as well', async (t) => {
  const stage = await openHeld(t, { texts: ({ code }) => ({ forbidden: '这张图片已经查不到了。' })[code] })
  const [{ error }] = await stage.uploader.status(['forged.by.hand'])
  assert.equal(error.message, '这张图片已经查不到了。')
})

for (const [name, answer, times, code] of [
  ['is never there', DROP, 3, 'network'],
  ['is busy', jsonError(503, 'oss_unavailable'), 3, 'oss_unavailable'],
  ['is asked too often', jsonError(429, 'too_many_requests', 'Slow down.', { 'Retry-After': '61' }), 1, 'too_many_requests'],
  ['has no profile that holds anything', jsonError(404, 'not_found'), 1, 'not_found'],
  ['answers with nonsense', { body: 'nonsense' }, 1, 'bad_answer'],
  ['answers with too few', { body: { results: [{ key: 'posts/0.jpg', state: 'held', url: null }] } }, 1, 'bad_answer'],
  ['answers without a state', { body: { results: [{ key: 'posts/0.jpg' }, { key: 'posts/1.jpg' }] } }, 1, 'bad_answer'],
]) {
  test(`asking for a list fails as a whole with ${code} when whoever knows ${name}`, async (t) => {
    const stage = await openHeld(t)
    stage.fc.plan.status.push(...always(answer))
    const error = await failureOf(stage.uploader.status(uploadsThat(stage, 'held', 'held')))
    assert.deepEqual([error.code, error.stage, asked(stage, 'status').length], [code, 'status', times])
  })
}

test('asking waits for the foreground', async (t) => {
  const stage = await openHeld(t)
  const [receipt] = uploadsThat(stage, 'published')
  const first = stage.uploader.status(receipt)
  stage.wx.platform.hide(0)
  const second = stage.uploader.status(receipt)
  await new Promise((resolve) => { setTimeout(resolve, 20) })
  const before = asked(stage, 'status').length
  stage.wx.platform.show()
  assert.deepEqual((await Promise.all([first, second])).map(({ state }) => state), ['published', 'published'])
  assert.ok(before < asked(stage, 'status').length)
  assert.equal(stage.wx.platform.listeners.AppHide.size, 0)
})

test('what is held is taken back by its user, who is logged in', async (t) => {
  const stage = await openHeld(t)
  const value = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(await stage.uploader.discard(value), { key: value.key, state: 'gone' })
  const [{ headers, body }] = asked(stage, 'discard')
  assert.deepEqual([headers.authorization, body], ['Bearer token-1', { receipt: value.receipt }])
  assert.equal((await stage.uploader.status(value.receipt)).state, 'gone')
})

test('the receipt alone is enough, and a second time changes nothing', async (t) => {
  const stage = await openHeld(t)
  const [receipt] = uploadsThat(stage, 'checking')
  const answers = [await stage.uploader.discard(receipt), await stage.uploader.discard(receipt)]
  assert.deepEqual(answers, Array(2).fill({ key: 'posts/0.jpg', state: 'gone' }))
})

test('an upload that could not be confirmed is confirmed, then taken back', async (t) => {
  const stage = await openHeld(t)
  stage.fc.plan.confirm.push(jsonError(403, 'forbidden'))
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.receipt, null)
  assert.equal((await stage.uploader.discard(value)).state, 'gone')
  assert.deepEqual(asked(stage, 'discard').map(({ body }) => body), [{ receipt: 'receipt.of.ticket-1' }])
})

test('an upload whose answer was lost for good is taken back by its error', async (t) => {
  const stage = await openHeld(t, { function: { life: 5 } })
  stage.oss.plan.push({ drop: true, store: true })
  stage.fc.plan.confirm.push(DROP, DROP, DROP)
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.equal(error.code, 'unknown_outcome')
  assert.equal((await stage.uploader.discard(error)).state, 'gone')
})

test('what has neither receipt nor ticket is refused by the function', async (t) => {
  const stage = await openHeld(t)
  for (const nothing of [{ receipt: null }, '', undefined]) {
    assert.equal((await failureOf(stage.uploader.discard(nothing))).code, 'bad_request')
  }
  assert.equal(asked(stage, 'discard').length, 0)
})

for (const [answer, code] of [[jsonError(403, 'forbidden'), 'forbidden'], [{ body: 'nonsense' }, 'bad_answer'], [jsonError(404, 'not_found'), 'not_found']]) {
  test(`taking back ends with ${code}`, async (t) => {
    const stage = await openHeld(t)
    stage.fc.plan.discard.push(answer)
    const error = await failureOf(stage.uploader.discard(uploadsThat(stage, 'held')[0]))
    assert.deepEqual([error.code, error.stage], [code, 'discard'])
  })
}

test('the phone is listened to while something is taken back', async (t) => {
  const stage = await openHeld(t)
  stage.fc.plan.discard.push(HANG)
  const promise = failureOf(stage.uploader.discard(uploadsThat(stage, 'held')[0]))
  assert.equal(stage.wx.platform.listeners.AppHide.size, 1)
  await until(() => asked(stage, 'discard').length)
  stage.wx.platform.calls.forEach((call) => call.fail('abort'))
  assert.equal((await promise).code, 'aborted')
  assert.equal(stage.wx.platform.listeners.AppHide.size, 0)
})
