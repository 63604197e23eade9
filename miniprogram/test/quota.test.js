'use strict'

/** The uploads of a day: what is left of them, and what their user reads when nothing is. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { english } = require('../example/utils/oss-direct-upload/english')
const { functionError } = require('../example/utils/oss-direct-upload/errors')
const { openParts, openStage, failureOf, LEAST_PART } = require('./stage')

const MIDNIGHT = '2026-11-24T16:00:00Z' // in China
const QUOTA = { filesLeft: 100, bytesLeft: 209715200, resetsAt: MIDNIGHT }

test('an upload says what is left of the day, each of a batch for itself', async (t) => {
  const stage = await openStage(t)
  stage.fc.state.quota = QUOTA
  const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), stage.file('b.jpg')])
  assert.deepEqual(outcomes.map(({ value }) => value.quota.filesLeft), [99, 98])
  assert.deepEqual(outcomes[0].value.quota, { ...QUOTA, filesLeft: 99 })
})

test('an upload of a profile without a quota says nothing of it', async (t) => {
  const stage = await openStage(t)
  assert.equal('quota' in await stage.uploader.upload(stage.file()).promise, false)
})

test('an upload in parts says it as well', async (t) => {
  const profiles = { default: { partSize: LEAST_PART, maxSize: 2 ** 40, parts: true, quota: QUOTA } }
  const stage = openParts(t, { cloud: { profiles } })
  assert.deepEqual((await stage.time.run(stage.upload().promise)).quota, QUOTA)
})

function refusal(quota, retryAfter) {
  const error = { code: 'quota_exceeded', message: 'The day does not hold it.', requestId: 'r', quota }
  return { status: 429, headers: { 'Retry-After': String(retryAfter) }, body: { error } }
}

/** What a phone in this time zone shows: the sentence, and the one in English. */
function sentences(zone, quota, retryAfter) {
  const { status, headers, body } = refusal(quota, retryAfter)
  const before = process.env.TZ
  process.env.TZ = zone
  const error = functionError({ statusCode: status, data: body, header: headers })
  const said = [error.message, english(error)]
  if (before === undefined) delete process.env.TZ
  else process.env.TZ = before
  return said
}

for (const [name, zone, quota, retryAfter, chinese, inEnglish] of [
  ['no file is left', 'Asia/Shanghai', { filesLeft: 0, bytesLeft: 5000 }, 3600, '今天的上传额度用完了，明天 0 点恢复。', "Today's uploads are used up. There are more at 0:00 tomorrow."],
  ['no byte is left', 'Asia/Shanghai', { filesLeft: 7, bytesLeft: 0 }, 86400, '今天的上传额度用完了，明天 0 点恢复。', "Today's uploads are used up. There are more at 0:00 tomorrow."],
  ['too few bytes are left', 'Asia/Shanghai', { filesLeft: null, bytesLeft: 20 * 1024 ** 2 }, 60, '今天的上传额度还剩 20 MB，不够传这些，明天 0 点恢复。', "Today's uploads are down to 20 MB, too little for this. There are more at 0:00 tomorrow."],
  ['too few files are left', 'Asia/Shanghai', { filesLeft: 1, bytesLeft: null }, 60, '今天的上传额度还剩 1 个文件，不够传这些，明天 0 点恢复。', "Today's uploads are down to 1 file, too little for this. There are more at 0:00 tomorrow."],
  ['either may be too few', 'Asia/Shanghai', { filesLeft: 3, bytesLeft: 1024 }, 60, '今天的上传额度还剩 3 个文件、1 KB，不够传这些，明天 0 点恢复。', "Today's uploads are down to 3 files, 1 KB, too little for this. There are more at 0:00 tomorrow."],
  ['the day ends today where the phone is', 'Europe/Berlin', { filesLeft: 0, bytesLeft: null }, 3600, '今天的上传额度用完了，今天 17 点恢复。', "Today's uploads are used up. There are more at 17:00 today."],
]) {
  test(`when ${name}, the user reads ${chinese}`, () => {
    assert.deepEqual(sentences(zone, { resetsAt: MIDNIGHT, ...quota }, retryAfter), [chinese, inEnglish])
  })
}

test('the error has what is left and when it resets, and another try is not offered', async (t) => {
  const stage = await openStage(t)
  const quota = { ...QUOTA, filesLeft: 0 }
  stage.fc.plan.sign.push(refusal(quota, 3600))
  const error = await failureOf(stage.uploader.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.quota, error.retryAfter, error.retryable], ['quota_exceeded', quota, 3600, false])
  assert.equal(stage.fc.signRequests().length, 1)
})

test('an error that says nothing of what is left is a sentence as well', () => {
  assert.equal(english({ code: 'quota_exceeded' }), "Today's uploads are used up. Please try again tomorrow.")
})
