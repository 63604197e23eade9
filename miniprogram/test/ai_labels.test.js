'use strict'

/** Labels of AI-made content: what a user declares is signed for good, what is found is told, and the tag shows both. */

const assert = require('node:assert/strict')
const { after, afterEach, before, mock, test } = require('node:test')
const { jsonError } = require('./servers')
const { hurry, openParts, openStage, openTags, until, onStage } = require('./stage')

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

// --- the tag

let world
let tag

mock.method(console, 'warn', () => {}) // for the developer

before(async () => { world = await openTags({ tickets: true, held: true }) })
after(() => world.stop())
afterEach(() => {
  if (tag) tag.close()
  tag = null
  Object.assign(world.fc.state, { aiLabel: undefined })
})

const open = (properties) => { tag = world.open({ endpoint: world.fc.origin, profile: 'post', aiLabel: true, ...properties }) }
/** A test on an open tag: title, properties if any, run(t). */
const onTag = (title, ...rest) => test(title, (t) => { open(...rest.slice(0, -1)); return rest.at(-1)(t) })
const stored = () => until(() => tag.states().length && tag.states().every((state) => state === 'held'))
const upload = async (...names) => { await tag.choose(...names.map((name) => world.picture(`${name}.jpg`))); await stored() }
const notices = () => tag.items().map(({ aiNotice }) => aiNotice)

onTag('the tick holds for what is chosen after it, and until it is taken off', async () => {
  assert.match(tag.texts('.tick')[0], /^含 AI 生成内容/)
  await upload('before')
  await tag.tap('.tick')
  assert.equal(tag.all('.tick-on').length, 1)
  await upload('one', 'two')
  await tag.tap('.tick')
  await upload('after')
  assert.deepEqual(notices(), ['', '可能为 AI 生成合成内容', '可能为 AI 生成合成内容', ''])
  assert.deepEqual(tag.texts('.notice'), ['可能为 AI 生成合成内容', '可能为 AI 生成合成内容'])
  assert.equal(tag.items()[1].label, '图片 2/4，已上传，可能为 AI 生成合成内容')
  assert.deepEqual(tag.heard.change.at(-1).items.map(({ aiLabel }) => aiLabel), [undefined, DECLARED, DECLARED, undefined])
  await tag.tap('.tick')
  tag.instance.clear()
  assert.equal(tag.all('.tick-on').length, 0)
})

for (const [aiLabel, notice] of [
  [FOUND, '属于 AI 生成合成内容'], [{ label: 3, source: 'reviewed' }, '疑似 AI 生成合成内容'],
  [null, ''], [{ label: null, problem: 'unreadable' }, ''], ...['1', 4, 0, -1, 'length', '__proto__', {}].map((label) => [{ label, source: 'metadata' }, '']),
]) {
  onTag(`the number alone decides what is shown: ${JSON.stringify(aiLabel)} as "${notice}"`, async () => {
    Object.assign(world.fc.state, { aiLabel })
    await upload('any')
    assert.deepEqual([notices(), tag.texts('.notice')], [[notice], notice ? [notice] : []])
  })
}

onTag('without ai-label there is neither tick nor notice; a tag that takes no more has no tick', { aiLabel: false }, async () => {
  Object.assign(world.fc.state, { aiLabel: FOUND })
  await upload('quiet')
  assert.deepEqual([tag.all('.tick').length, tag.all('.notice').length], [0, 0])
  tag.set({ aiLabel: true, max: 1 })
  assert.deepEqual([tag.all('.tick').length, tag.texts('.notice')], [0, ['属于 AI 生成合成内容']])
})

onTag('the words can be replaced', { texts: { aiDeclare: '我用了 AI', aiScope: '', aiMaybe: 'AI 生成？' } }, async () => {
  assert.deepEqual(tag.texts('.tick'), ['我用了 AI'])
  await tag.tap('.tick')
  await upload('any')
  assert.deepEqual(tag.texts('.notice'), ['AI 生成？'])
})

test('a label that is found later is shown when its state is asked for', async (t) => {
  hurry(t)
  open()
  await upload('later')
  const [receipt] = await tag.submit()
  assert.deepEqual(tag.texts('.notice'), [])
  world.fc.state.uploads.get(receipt).aiLabel = { label: 3, source: 'reviewed' }
  await until(() => tag.texts('.notice').join() === '疑似 AI 生成合成内容')
  assert.deepEqual(tag.texts('.mark'), ['审核中', '疑似 AI 生成合成内容'])
})

onTag('a profile without ai_label is named to the developer', async () => {
  world.fc.plan.sign.push(jsonError(400, 'bad_request', 'aiDeclared needs ai_label = true in the profile'))
  await tag.tap('.tick')
  await tag.choose(world.picture('any.jpg'))
  await until(() => tag.heard.fail.length)
  assert.equal(tag.heard.fail[0].message, '用途 post 缺 ai_label')
})
