'use strict'

/** What becomes of an upload whose form came with a ticket: OSS is asked through the function; it may be held, and is taken back. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { english } = require('../example/utils/oss-direct-upload/english')
const { jsonError, xmlError, DROP, HANG } = require('./servers')
const { openStage, failureOf, until, pause, testsOn, fails } = require('./stage')

const EXPIRED = xmlError(403, 'AccessDenied', 'Invalid according to Policy: Policy expired.')
const CALLBACK_FAILED = { ...xmlError(203, 'CallbackFailed', 'Error status : 502.'), store: true }
const LOST = { drop: true, store: true }

/** A stage where every form comes with a ticket. */
const openWithTickets = (t, { function: ofFunction, ...options } = {}) => (
  openStage(t, { function: { tickets: true, ...ofFunction }, ...options })
)
const onStage = testsOn(openWithTickets)
const asked = (stage, route = 'confirm') => stage.fc.requestsTo(route)
const always = (answer) => Array(9).fill(answer)

onStage('an upload ends with the receipt of what OSS has, without any callback', async (stage) => {
  const value = await stage.uploader.upload(stage.file('photo.jpg', '12345')).promise
  assert.deepEqual([value.receipt, value.confirmed, value.statusCode], ['receipt.of.ticket-1', true, 200])
  assert.deepEqual([value.data.status, value.data.key, value.data.size, value.data.receipt, value.data.state], ['ok', value.key, 5, value.receipt, 'stored'])
  assert.deepEqual(asked(stage).map(({ body, headers }) => [body, headers.authorization]), [[{ ticket: 'ticket-1' }, undefined]])
  assert.equal('ticket' in value, false, 'it has done its work')
})

onStage('a callback that failed is no failure when OSS has the object', { oss: [CALLBACK_FAILED] }, async (stage) => {
  const { receipt, confirmed, statusCode } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([receipt, confirmed, statusCode], ['receipt.of.ticket-1', true, 203])
  assert.equal(stage.oss.posts.length, 1)
})

onStage('a callback that failed stays one when nobody can be asked, and nothing is sent again', { function: { life: 5 } }, async (stage) => {
  stage.oss.plan.push(CALLBACK_FAILED)
  stage.fc.plan.confirm.push(...always(DROP))
  await fails(stage.uploader.upload(stage.file()).promise, { code: 'callback_failed', ticket: 'ticket-1', key: 'uploads/user/1-photo.jpg' })
  assert.equal(stage.oss.posts.length, 1)
})

onStage('an object that is gone after its callback failed is not sent again, though the form has run out', { function: { life: 5 } }, async (stage) => {
  stage.oss.plan.push(CALLBACK_FAILED)
  stage.fc.plan.confirm.push(jsonError(404, 'not_uploaded'))
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'callback_failed')
  assert.equal(stage.oss.posts.length, 1)
})

for (const life of [300, 5]) {
  onStage(`an answer that was lost after storing is found out at once, with a form of ${life} s as well, and nothing is sent again`, { function: { life } }, async (stage) => {
    stage.oss.plan.push(LOST)
    const { receipt, statusCode, confirmed } = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([receipt, statusCode, confirmed], ['receipt.of.ticket-1', 409, true])
    assert.equal(stage.oss.posts.length, 1)
  })
}

onStage('an answer that was lost before storing is sent again with the same form', async (stage) => {
  stage.oss.plan.push(DROP, xmlError(500, 'InternalError', 'We encountered an internal error.'))
  const { key, receipt, statusCode } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([key, receipt, statusCode], ['uploads/user/1-photo.jpg', 'receipt.of.ticket-1', 200])
  assert.equal(asked(stage).length, 3)
  assert.equal(stage.fc.signRequests().length, 1)
})

onStage('a form that ran out gives way to a fresh one, once OSS is known to have nothing of the first', { function: { life: 5 } }, async (stage) => {
  stage.oss.plan.push(DROP)
  const { key, receipt } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([key, receipt], ['uploads/user/2-photo.jpg', 'receipt.of.ticket-2'])
  assert.deepEqual([...stage.oss.objects.keys()], [key])
})

onStage('an outcome is unknown only when nobody could be asked, and the page gets the ticket to ask later', { function: { life: 5 } }, async (stage) => {
  stage.oss.plan.push(LOST)
  stage.fc.plan.confirm.push(DROP, DROP, DROP)
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.ticket, error.retryable], ['unknown_outcome', 'ticket-1', false])
  assert.equal(stage.oss.posts.length, 1)
  assert.equal((await stage.uploader.confirm(error.ticket)).receipt, 'receipt.of.ticket-1')
})

onStage('a form that OSS calls expired after a lost answer is looked after as well', async (stage) => {
  stage.oss.plan.push(LOST, EXPIRED)
  stage.fc.plan.confirm.push(DROP, DROP, DROP)
  const { statusCode, receipt } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([statusCode, receipt], [409, 'receipt.of.ticket-1'])
  assert.deepEqual([stage.oss.posts.length, stage.fc.signRequests().length], [2, 1])
})

onStage('409 is a success when OSS has what the form admitted, whatever the key looks like', async (stage) => {
  stage.oss.objects.set('uploads/user/1-photo.jpg', 'the very same bytes')
  const { statusCode, receipt, confirmed } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([statusCode, receipt, confirmed], [409, 'receipt.of.ticket-1', true])
})

onStage('409 is a refusal when the object there is not what the form admitted', async (stage) => {
  stage.oss.objects.set('uploads/user/1-photo.jpg', 'of another type')
  stage.fc.plan.confirm.push(jsonError(403, 'forbidden'))
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'file_exists')
})

for (const [name, answer, times] of [
  ['is never there', DROP, 3],
  ['is busy for long', jsonError(503, 'oss_unavailable', 'OSS does not answer.', { 'Retry-After': '61' }), 1],
  ['refuses', jsonError(403, 'forbidden'), 1],
  ['knows no such route', { status: 404, body: '<html>no such page</html>' }, 1],
  ['does not find it', jsonError(404, 'not_uploaded'), 1],
  ['answers without a receipt', { body: { status: 'ok' } }, 1],
  ['answers with nonsense', { body: 'nonsense' }, 1],
]) {
  onStage(`an upload that OSS took is a success, though unconfirmed, when whoever confirms ${name}`, async (stage) => {
    stage.fc.plan.confirm.push(...always(answer))
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([value.statusCode, value.receipt, value.confirmed, value.ticket], [200, null, false, 'ticket-1'])
    assert.equal(asked(stage).length, times)
    assert.equal(stage.oss.posts.length, 1)
  })
}

onStage('where both are on, the receipt is what OSS said to the function, else that of the callback, and the data what the callback knew', async (stage) => {
  for (const [refusal, wanted] of [[undefined, 'receipt.of.ticket-1'], [jsonError(403, 'forbidden'), 'of.the.callback']]) {
    stage.oss.plan.push({ status: 200, store: true, body: { status: 'ok', width: 4, receipt: 'of.the.callback' } })
    stage.fc.plan.confirm.push(refusal)
    const { receipt, confirmed, data } = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([receipt, confirmed, data.width], [wanted, !refusal, 4])
  }
})

onStage('100 % is told when it is confirmed, not before', async (stage) => {
  const seen = []
  stage.fc.plan.confirm.push(() => { seen.push('confirmed') })
  await stage.uploader.upload({ ...stage.file(), onProgress: ({ progress }) => seen.push(progress) }).promise
  assert.deepEqual(seen.slice(-2), ['confirmed', 100])
  assert.ok(!seen.slice(0, -1).includes(100))
})

onStage('an upload is aborted while it is confirmed, and nobody is asked again', { backoff: 20, plan: { confirm: [HANG] } }, async (stage) => {
  const task = stage.uploader.upload(stage.file())
  await until(() => asked(stage).length)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  assert.ok(stage.wx.platform.calls.every(({ settled }) => settled))
  await pause(60)
  assert.equal(asked(stage).length, 1)
})

onStage('what the background broke off leaves every retry to what comes after', { retries: 1, plan: { confirm: [HANG, DROP] } }, async (stage) => {
  const { promise } = stage.uploader.upload(stage.file())
  await until(() => asked(stage).length === 1)
  stage.wx.platform.hide(0)
  await until(() => stage.wx.platform.calls.every(({ settled }) => settled))
  stage.wx.platform.show()
  assert.equal((await promise).confirmed, true)
  assert.equal(asked(stage).length, 3)
})

// --- held

/** A stage where what is uploaded is held. */
const openHeld = (t, { function: ofFunction, ...options } = {}) => (
  openStage(t, { function: { tickets: true, held: true, ...ofFunction }, ...options })
)
const standingOf = ({ state, held }) => [state, held]

const onHeld = testsOn(openHeld)

/** Receipts of uploads that stand like this. */
function uploadsThat(stage, ...states) {
  return states.map((state, index) => {
    const receipt = `receipt.number.${index}`
    const url = state === 'published' ? `https://cdn.example.com/posts/${index}.jpg` : null
    stage.fc.state.uploads.set(receipt, { key: `posts/${index}.jpg`, state, url })
    return receipt
  })
}

test('an upload without a ticket is what its form says', async (t) => {
  for (const held of [true, false]) {
    const stage = await openHeld(t, { function: { tickets: false, held } })
    stage.oss.plan.push({ status: 200, store: true, body: { status: 'ok', receipt: 'of.the.callback' } })
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([value.receipt, ...standingOf(value)], ['of.the.callback', held ? 'held' : 'stored', held])
  }
})

onHeld('an upload that could not be confirmed is held as its form says', { plan: { confirm: [jsonError(403, 'forbidden')] } }, async (stage) => {
  const value = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([...standingOf(value), value.confirmed, value.ticket], ['held', true, false, 'ticket-1'])
})

for (const [state, held] of [['held', true], ['checking', true], ['review', true], ['published', false], ['rejected', false], ['gone', false]]) {
  onHeld(`an upload that is ${state} when it is confirmed says so, and has its receipt all the same`, async (stage) => {
    stage.fc.state.uploads.set('receipt.of.ticket-1', { key: 'posts/1.jpg', state, url: null })
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([value.receipt, value.data.state, ...standingOf(value)], ['receipt.of.ticket-1', state, state, held])
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

onHeld('one receipt gives one standing, and nobody has to log in', async (stage) => {
  const { receipt, key } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual(await stage.uploader.status(receipt), { key, state: 'held', url: null })
  const [{ headers, body }] = asked(stage, 'status')
  assert.deepEqual([headers.authorization, body], [undefined, { receipts: [receipt] }])
})

onHeld('several receipts give a list in their order', async (stage) => {
  const receipts = uploadsThat(stage, 'published', 'checking', 'rejected', 'review', 'gone')
  const found = await stage.uploader.status([...receipts].reverse())
  assert.deepEqual(found.map(({ state }) => state), ['gone', 'review', 'rejected', 'checking', 'published'])
  assert.deepEqual(found.at(-1), { key: 'posts/0.jpg', state: 'published', url: 'https://cdn.example.com/posts/0.jpg' })
})

onHeld('until when something is held is told while it is held', async (stage) => {
  const [receipt] = uploadsThat(stage, 'checking')
  stage.fc.state.uploads.get(receipt).heldUntil = '2026-11-26T12:00:00Z'
  assert.deepEqual(await stage.uploader.status(receipt), { key: 'posts/0.jpg', state: 'checking', url: null, heldUntil: '2026-11-26T12:00:00Z' })
})

onHeld('a receipt that was asked about too often says how long to wait', async (stage) => {
  stage.fc.plan.status.push({ body: { results: [{ error: { code: 'too_many_requests', message: 'Slow down.', retryAfter: 45 } }] } })
  const [{ error }] = await stage.uploader.status(['often'])
  assert.deepEqual([error.code, error.retryAfter, error.message], ['too_many_requests', 45, '操作太频繁，请在 45 秒后再试。'])
})

onHeld('no receipts are nothing asked', async (stage) => {
  assert.deepEqual(await stage.uploader.status([]), [])
  assert.equal(stage.wx.platform.calls.length, 0)
})

for (const [count, calls] of [[20, [20]], [21, [1, 20]], [45, [20, 20, 5]]]) {
  onHeld(`${count} receipts are asked for in ${calls.length} calls, and answered in order`, async (stage) => {
    const receipts = uploadsThat(stage, ...Array(count).fill('checking'))
    const found = await stage.uploader.status(receipts)
    assert.deepEqual(found.map(({ key }) => key), receipts.map((_, index) => `posts/${index}.jpg`))
    assert.deepEqual(asked(stage, 'status').map(({ body }) => body.receipts.length).sort(), calls.sort())
  })
}

onHeld('a receipt that is refused spoils no other', async (stage) => {
  const [good] = uploadsThat(stage, 'published')
  const [first, second, third] = await stage.uploader.status([good, 'forged.by.hand', good])
  assert.deepEqual([first.state, third.state, second.state], ['published', 'published', undefined])
  const { name, code, stage: where, message, requestId } = second.error
  assert.deepEqual([name, code, where, requestId], ['OssUploadError', 'forbidden', 'status', 'request-1'])
  assert.equal(message, '这个账号没有权限。')
})

onHeld('one receipt that is refused is a failure', { texts: english }, async (stage) => {
  const error = await failureOf(stage.uploader.status('forged.by.hand'))
  assert.deepEqual([error.code, error.stage, error.retryable], ['forbidden', 'status', false])
  assert.equal(error.message, 'This account may not do this.')
})

for (const [name, answer, times, code] of [
  ['is never there', DROP, 3, 'network'],
  ['is busy', jsonError(503, 'oss_unavailable'), 3, 'oss_unavailable'],
  ['is asked too often', jsonError(429, 'too_many_requests', 'Slow down.', { 'Retry-After': '61' }), 1, 'too_many_requests'],
  ['has no profile that holds anything', jsonError(404, 'not_found'), 1, 'not_found'],
  ['answers with too few', { body: { results: [{ key: 'posts/0.jpg', state: 'held', url: null }] } }, 1, 'bad_answer'],
]) {
  onHeld(`asking for a list fails as a whole with ${code} when whoever knows ${name}`, { plan: { status: [...always(answer)] } }, async (stage) => {
    const error = await failureOf(stage.uploader.status(uploadsThat(stage, 'held', 'held')))
    assert.deepEqual([error.code, error.stage, asked(stage, 'status').length], [code, 'status', times])
  })
}

onHeld('asking waits for the foreground', async (stage) => {
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

onHeld('what is held is taken back by its user, who is logged in; the receipt alone is enough, and a second time changes nothing', async (stage) => {
  const value = await stage.uploader.upload(stage.file()).promise
  for (const each of [value, value.receipt]) assert.deepEqual(await stage.uploader.discard(each), { key: value.key, state: 'gone' })
  const wanted = { authorization: 'Bearer token-1', body: { receipt: value.receipt } }
  assert.deepEqual(asked(stage, 'discard').map(({ headers: { authorization }, body }) => ({ authorization, body })), [wanted, wanted])
})

onHeld('an upload that could not be confirmed is confirmed, then taken back', { plan: { confirm: [jsonError(403, 'forbidden')] } }, async (stage) => {
  const value = await stage.uploader.upload(stage.file()).promise
  assert.equal(value.receipt, null)
  assert.equal((await stage.uploader.discard(value)).state, 'gone')
  assert.deepEqual(asked(stage, 'discard').map(({ body }) => body), [{ receipt: 'receipt.of.ticket-1' }])
})

onHeld('an upload whose answer was lost for good is taken back by its error', { function: { life: 5 } }, async (stage) => {
  stage.oss.plan.push({ drop: true, store: true })
  stage.fc.plan.confirm.push(DROP, DROP, DROP)
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.equal(error.code, 'unknown_outcome')
  assert.equal((await stage.uploader.discard(error)).state, 'gone')
})

onHeld('what has neither receipt nor ticket is refused by the function', async (stage) => {
  for (const nothing of [{ receipt: null }, '', undefined]) {
    assert.equal((await failureOf(stage.uploader.discard(nothing))).code, 'bad_request')
  }
  assert.equal(asked(stage, 'discard').length, 0)
})

onHeld('the phone is listened to while something is taken back', { plan: { discard: [HANG] } }, async (stage) => {
  const promise = failureOf(stage.uploader.discard(uploadsThat(stage, 'held')[0]))
  assert.equal(stage.wx.platform.listeners.AppHide.size, 1)
  await until(() => asked(stage, 'discard').length)
  stage.wx.platform.calls.forEach((call) => call.fail('abort'))
  assert.equal((await promise).code, 'aborted')
  assert.equal(stage.wx.platform.listeners.AppHide.size, 0)
})
