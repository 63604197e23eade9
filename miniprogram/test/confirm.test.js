'use strict'

/** What becomes of an upload whose form came with a ticket: OSS itself is asked, through the function. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { jsonError, xmlError, DROP, HANG } = require('./servers')
const { openStage, failureOf, until, pause } = require('./stage')

const EXPIRED = xmlError(403, 'AccessDenied', 'Invalid according to Policy: Policy expired.')
const CALLBACK_FAILED = { ...xmlError(203, 'CallbackFailed', 'Error status : 502.'), store: true }
const LOST = { drop: true, store: true }

/** A stage where every form comes with a ticket. */
const openWithTickets = (t, { function: ofFunction, ...options } = {}) => (
  openStage(t, { function: { tickets: true, ...ofFunction }, ...options })
)
const asked = (stage) => stage.fc.requestsTo('confirm')
const always = (answer) => Array(9).fill(answer)

test('an upload ends with the receipt of what OSS has, without any callback', async (t) => {
  const stage = await openWithTickets(t)
  const value = await stage.uploader.upload(stage.file('photo.jpg', '12345')).promise
  assert.deepEqual([value.receipt, value.confirmed, value.statusCode], ['receipt.of.ticket-1', true, 200])
  assert.deepEqual([value.data.status, value.data.key, value.data.size, value.data.receipt, value.data.state], ['ok', value.key, 5, value.receipt, 'stored'])
  assert.deepEqual(asked(stage).map(({ body }) => body), [{ ticket: 'ticket-1' }])
  assert.equal('ticket' in value, false, 'it has done its work')
})

test('the ticket is enough: nobody has to log in to confirm', async (t) => {
  const stage = await openWithTickets(t)
  await stage.uploader.upload(stage.file()).promise
  assert.equal(asked(stage)[0].headers.authorization, undefined)
})

test('without a ticket nobody is asked', async (t) => {
  const stage = await openStage(t)
  const { confirmed, receipt } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([confirmed, receipt, asked(stage).length], [false, null, 0])
})

test('a callback that failed is no failure when OSS has the object', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.plan.push(CALLBACK_FAILED)
  const { receipt, confirmed, statusCode } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([receipt, confirmed, statusCode], ['receipt.of.ticket-1', true, 203])
  assert.equal(stage.oss.posts.length, 1)
})

test('a callback that failed stays one when nobody can be asked, and nothing is sent again', async (t) => {
  const stage = await openWithTickets(t, { function: { life: 5 } })
  stage.oss.plan.push(CALLBACK_FAILED)
  stage.fc.plan.confirm.push(...always(DROP))
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.ticket, error.key], ['callback_failed', 'ticket-1', 'uploads/user/1-photo.jpg'])
  assert.equal(stage.oss.posts.length, 1)
})

test('an object that is gone after its callback failed is not sent again, though the form has run out', async (t) => {
  const stage = await openWithTickets(t, { function: { life: 5 } })
  stage.oss.plan.push(CALLBACK_FAILED)
  stage.fc.plan.confirm.push(jsonError(404, 'not_uploaded'))
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'callback_failed')
  assert.equal(stage.oss.posts.length, 1)
})

test('an answer that was lost after storing is found out at once, and nothing is sent again', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.plan.push(LOST)
  const { receipt, statusCode, confirmed } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([receipt, statusCode, confirmed], ['receipt.of.ticket-1', 409, true])
  assert.equal(stage.oss.posts.length, 1)
})

test('an answer that was lost before storing is sent again with the same form', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.plan.push(DROP, xmlError(500, 'InternalError', 'We encountered an internal error.'))
  const { key, receipt, statusCode } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([key, receipt, statusCode], ['uploads/user/1-photo.jpg', 'receipt.of.ticket-1', 200])
  assert.equal(asked(stage).length, 3)
  assert.equal(stage.fc.signRequests().length, 1)
})

test('a lost answer and a form that has run out end stored, not as an unknown outcome', async (t) => {
  const stage = await openWithTickets(t, { function: { life: 5 } })
  stage.oss.plan.push(LOST)
  assert.equal((await stage.uploader.upload(stage.file()).promise).receipt, 'receipt.of.ticket-1')
  assert.equal(stage.oss.objects.size, 1)
})

test('a form that ran out gives way to a fresh one, once OSS is known to have nothing of the first', async (t) => {
  const stage = await openWithTickets(t, { function: { life: 5 } })
  stage.oss.plan.push(DROP)
  const { key, receipt } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([key, receipt], ['uploads/user/2-photo.jpg', 'receipt.of.ticket-2'])
  assert.deepEqual([...stage.oss.objects.keys()], [key])
})

test('an outcome is unknown only when nobody could be asked, and the page gets the ticket to ask later', async (t) => {
  const stage = await openWithTickets(t, { function: { life: 5 } })
  stage.oss.plan.push(LOST)
  stage.fc.plan.confirm.push(DROP, DROP, DROP)
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.ticket, error.retryable], ['unknown_outcome', 'ticket-1', false])
  assert.equal(stage.oss.posts.length, 1)
  assert.equal((await stage.uploader.confirm(error.ticket)).receipt, 'receipt.of.ticket-1')
})

test('a form that OSS calls expired after a lost answer is looked after as well', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.plan.push(LOST, EXPIRED)
  stage.fc.plan.confirm.push(DROP, DROP, DROP)
  const { statusCode, receipt } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([statusCode, receipt], [409, 'receipt.of.ticket-1'])
  assert.deepEqual([stage.oss.posts.length, stage.fc.signRequests().length], [2, 1])
})

test('409 is a success when OSS has what the form admitted, whatever the key looks like', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.objects.set('uploads/user/1-photo.jpg', 'the very same bytes')
  const { statusCode, receipt, confirmed } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([statusCode, receipt, confirmed], [409, 'receipt.of.ticket-1', true])
})

test('409 is a refusal when the object there is not what the form admitted', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.objects.set('uploads/user/1-photo.jpg', 'of another type')
  stage.fc.plan.confirm.push(jsonError(403, 'forbidden'))
  assert.equal((await failureOf(stage.uploader.upload(stage.file()).promise)).code, 'file_exists')
})

for (const [name, answer] of [
  ['a 503', jsonError(503, 'oss_unavailable')], ['a dropped connection', DROP], ['a 429', jsonError(429, 'too_many_requests')],
]) {
  test(`confirming is tried again after ${name}`, async (t) => {
    const stage = await openWithTickets(t)
    stage.fc.plan.confirm.push(answer, answer)
    assert.equal((await stage.uploader.upload(stage.file()).promise).confirmed, true)
    assert.equal(asked(stage).length, 3)
  })
}

for (const [name, answer, times] of [
  ['is never there', DROP, 3],
  ['is busy for long', jsonError(503, 'oss_unavailable', 'OSS does not answer.', { 'Retry-After': '61' }), 1],
  ['refuses', jsonError(403, 'forbidden'), 1],
  ['knows no such route', { status: 404, body: '<html>no such page</html>' }, 1],
  ['does not find it', jsonError(404, 'not_uploaded'), 1],
  ['answers without a receipt', { body: { status: 'ok' } }, 1],
  ['answers with nonsense', { body: 'nonsense' }, 1],
]) {
  test(`an upload that OSS took is a success, though unconfirmed, when whoever confirms ${name}`, async (t) => {
    const stage = await openWithTickets(t)
    stage.fc.plan.confirm.push(...always(answer))
    const value = await stage.uploader.upload(stage.file()).promise
    assert.deepEqual([value.statusCode, value.receipt, value.confirmed, value.ticket], [200, null, false, 'ticket-1'])
    assert.equal(asked(stage).length, times)
    assert.equal(stage.oss.posts.length, 1)
  })
}

test('what cannot be confirmed keeps the receipt of its callback', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.plan.push({ status: 200, store: true, body: { status: 'ok', width: 4, receipt: 'of.the.callback' } })
  stage.fc.plan.confirm.push(jsonError(403, 'forbidden'))
  const { receipt, confirmed, data } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([receipt, confirmed, data.width], ['of.the.callback', false, 4])
})

test('where both are on, the receipt is what OSS said to the function, the data what the callback knew', async (t) => {
  const stage = await openWithTickets(t)
  stage.oss.plan.push({ status: 200, store: true, body: { status: 'ok', width: 4, receipt: 'of.the.callback' } })
  const { receipt, confirmed, data } = await stage.uploader.upload(stage.file()).promise
  assert.deepEqual([receipt, confirmed, data.width], ['receipt.of.ticket-1', true, 4])
})

for (const body of ['nonsense', {}, { status: 'ok', receipt: '' }]) {
  test(`an answer without a receipt (${JSON.stringify(body)}) confirms nothing`, async (t) => {
    const stage = await openWithTickets(t)
    stage.fc.plan.confirm.push({ status: 200, body })
    const error = await failureOf(stage.uploader.confirm('ticket-1'))
    assert.deepEqual([error.code, error.stage], ['bad_answer', 'confirm'])
  })
}

test('100 % is told when it is confirmed, not before', async (t) => {
  const seen = []
  const stage = await openWithTickets(t)
  stage.fc.plan.confirm.push(() => { seen.push('confirmed') })
  await stage.uploader.upload({ ...stage.file(), onProgress: ({ progress }) => seen.push(progress) }).promise
  assert.deepEqual(seen.slice(-2), ['confirmed', 100])
  assert.ok(!seen.slice(0, -1).includes(100))
})

test('an upload is aborted while it is confirmed, and nobody is asked again', async (t) => {
  const stage = await openWithTickets(t, { backoff: 20 })
  stage.fc.plan.confirm.push(HANG)
  const task = stage.uploader.upload(stage.file())
  await until(() => asked(stage).length)
  task.abort()
  assert.equal((await failureOf(task.promise)).code, 'aborted')
  assert.ok(stage.wx.platform.calls.every(({ settled }) => settled))
  await pause(60)
  assert.equal(asked(stage).length, 1)
})

test('what the background broke off leaves every retry to what comes after', async (t) => {
  const stage = await openWithTickets(t, { retries: 1 })
  stage.fc.plan.confirm.push(HANG, DROP)
  const { promise } = stage.uploader.upload(stage.file())
  await until(() => asked(stage).length === 1)
  stage.wx.platform.hide(0)
  await until(() => stage.wx.platform.calls.every(({ settled }) => settled))
  stage.wx.platform.show()
  assert.equal((await promise).confirmed, true)
  assert.equal(asked(stage).length, 3)
})
