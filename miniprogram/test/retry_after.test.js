'use strict'

/** What is done about the Retry-After of an answer. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { jsonError } = require('./servers')
const { openStage, failureOf, shortPauses } = require('./stage')

const after = (seconds, status = 429, code = 'too_many_requests') => (
  jsonError(status, code, 'Slow down.', { 'Retry-After': String(seconds) })
)

for (const seconds of [1, 5, 60]) {
  test(`${seconds} s are waited for`, async (t) => {
    const stage = await openStage(t)
    const waits = shortPauses(t)
    stage.fc.plan.sign.push(after(seconds))
    assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
    assert.deepEqual(waits, [seconds * 1000])
  })
}

test('a wait of more than 60 s is told at once, with its number', async (t) => {
  const stage = await openStage(t)
  const waits = shortPauses(t)
  stage.fc.plan.sign.push(after(61))
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.retryAfter, error.retryable], ['too_many_requests', 61, false])
  assert.equal(error.message, '操作太频繁，请在 61 秒后再试。')
  assert.deepEqual(waits, [])
  assert.equal(stage.fc.signRequests().length, 1)
})

test('a backoff that is longer than the Retry-After stays', async (t) => {
  const stage = await openStage(t, { backoff: 8000 })
  const waits = shortPauses(t)
  stage.fc.plan.sign.push(after(1))
  await stage.uploader.upload(stage.file()).promise
  assert.ok(waits.length === 1 && waits[0] >= 4000, `waits: ${waits}`)
})

test('a Retry-After adds no retries', async (t) => {
  const stage = await openStage(t, { retries: 2 })
  shortPauses(t)
  stage.fc.plan.sign.push(...Array(9).fill(after(2, 503, 'sts_unavailable')))
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.retryAfter, error.message], ['sts_unavailable', 2, '服务正忙，请在 2 秒后再试。'])
  assert.equal(stage.fc.signRequests().length, 3)
})

test('the login is waited for as well', async (t) => {
  const stage = await openStage(t)
  const waits = shortPauses(t)
  stage.fc.plan.login.push(after(3))
  assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
  assert.deepEqual(waits, [3000])
})

test('confirming and reading wait as well', async (t) => {
  const stage = await openStage(t, { function: { tickets: true } })
  const waits = shortPauses(t)
  stage.fc.plan.confirm.push(after(6, 503, 'oss_unavailable'), after(7, 503, 'oss_unavailable'))
  assert.equal((await stage.uploader.upload(stage.file()).promise).confirmed, true)
  stage.fc.plan.read.push(after(8))
  await stage.uploader.read('a.jpg')
  assert.deepEqual(waits, [6000, 7000, 8000])
})

for (const headerName of [(name) => name.toUpperCase(), (name) => name.replace(/\b\w/g, (letter) => letter.toUpperCase())]) {
  test(`the name of the header may be written ${headerName('retry-after')}`, async (t) => {
    const stage = await openStage(t, { wx: { headerName } })
    const waits = shortPauses(t)
    stage.fc.plan.sign.push(after(4))
    await stage.uploader.upload(stage.file()).promise
    assert.deepEqual(waits, [4000])
  })
}

for (const value of ['soon', '', 'Wed, 25 Nov 2026 12:00:00 GMT']) {
  test(`a Retry-After of ${JSON.stringify(value)} is none`, async (t) => {
    const stage = await openStage(t, { retries: 0 })
    stage.fc.plan.sign.push(after(value))
    const error = await failureOf(stage.uploader.upload(stage.file()).promise)
    assert.deepEqual([error.retryAfter, error.message], [undefined, '操作太频繁，请稍后再试。'])
  })
}
