'use strict'

/** Labels of AI-made content: what a user declares is signed for good, what is found is told. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { jsonError } = require('./servers')
const { openParts, openStage, until, onStage } = require('./stage')

const DECLARED = { label: 2, source: 'declared' }
const FOUND = { label: 1, source: 'metadata', producer: '<b>x</b>', produceId: 'img-42', digitalSourceType: null, c2pa: false }
const HOUR = 3600000

onStage('each file of a list declares for itself, and what it declared is told', { function: { tickets: true } }, async ({ fc, uploader, file }) => {
  const files = [true, false, undefined].map((aiDeclared, index) => ({ ...file(`${index}.jpg`), aiDeclared }))
  const results = await uploader.uploadAll(files)
  assert.deepEqual(fc.signRequests()[0].body.files.map(({ aiDeclared }) => aiDeclared), [true, undefined, undefined])
  assert.deepEqual(results.map(({ value }) => value.aiLabel), [DECLARED, undefined, undefined])
  assert.deepEqual(results.map(({ value }) => 'aiLabel' in value), [true, false, false])
})

onStage('a retry declares what was declared when the upload began, whatever the page does meanwhile', { function: { tickets: true } }, async ({ fc, uploader, file }) => {
  fc.plan.sign.push(jsonError(500, 'internal_error'))
  const wanted = { ...file(), aiDeclared: true }
  const { promise } = uploader.upload(wanted)
  wanted.aiDeclared = false
  assert.deepEqual((await promise).aiLabel, DECLARED)
  assert.deepEqual(fc.signRequests().map(({ body }) => body.aiDeclared), [true, true])
})

test('what is found is told by the upload, by its confirmation and by its state; nothing found is not nothing told', async (t) => {
  for (const aiLabel of [FOUND, null, undefined, { label: null, problem: 'conflict' }]) {
    const { fc, uploader, file } = await openStage(t, { function: { tickets: true } })
    Object.assign(fc.state, { aiLabel })
    const value = await uploader.upload(file()).promise
    const standing = await uploader.status(value.receipt)
    for (const each of [value, value.data, standing]) assert.deepEqual([each.aiLabel, 'aiLabel' in each], [aiLabel, aiLabel !== undefined])
  }
})

onStage('a label that the form of a file stored already tells is told', async ({ fc, uploader, file }) => {
  fc.plan.sign.push({ body: { exists: true, key: 'k', fileUrl: 'u', uploadId: 'i', receipt: 'r', serverTime: new Date().toISOString(), aiLabel: FOUND } })
  const { exists, aiLabel } = await uploader.upload(file()).promise
  assert.deepEqual([exists, aiLabel], [true, FOUND])
})

// --- parts

const declaredIn = ({ cloud }) => cloud.calls.filter(({ route }) => route === '/multipart').map(({ body }) => body.aiDeclared)

/** Upload until half is there, and open the app anew. */
async function breakOff(stage, more) {
  stage.upload({ ...more, onProgress: ({ progress }) => { if (progress >= 50) stage.phone.kill() } })
  await stage.time.pass(HOUR)
  stage.open()
}

for (const [name, first, second, calls, told] of [
  ['declared stays declared', true, undefined, [true], DECLARED],
  ['declared twice goes on', true, true, [true], DECLARED],
  ['not declared goes on', undefined, false, [undefined], undefined],
  ['declared only now begins anew, for a ticket says it for good', undefined, true, [undefined, true], DECLARED],
]) {
  test(`a large file that was ${name}`, async (t) => {
    const stage = openParts(t, { count: 40 })
    await breakOff(stage, { aiDeclared: first })
    const value = await stage.time.run(stage.upload({ aiDeclared: second }).promise)
    stage.isStored(value)
    assert.deepEqual([declaredIn(stage), value.aiLabel, 'aiLabel' in value], [calls, told, !!told])
    assert.deepEqual([...stage.cloud.uploads.values()].map(({ aborted }) => !!aborted), calls.map((_, index) => index < calls.length - 1))
  })
}

test('a large file whose parts are gone declares again what it had declared', async (t) => {
  const stage = openParts(t, { count: 40 })
  await breakOff(stage, { aiDeclared: true })
  stage.cloud.uploads.forEach((_, id) => stage.cloud.forget(id))
  assert.deepEqual((await stage.time.run(stage.upload().promise)).aiLabel, DECLARED)
  assert.deepEqual(declaredIn(stage), [true, true])
})
