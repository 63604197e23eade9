'use strict'

/** What a user has stored: listed page by page, deleted, replaced. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { jsonError, DROP } = require('./servers')
const { openParts, openStage, failureOf } = require('./stage')

const keysUpTo = (count) => Array.from({ length: count }, (_, index) => `uploads/user/${String(index).padStart(3, '0')}.jpg`)

/** A stage on which so many files are stored. */
async function openFull(t, count, options) {
  const stage = await openStage(t, options)
  keysUpTo(count).forEach((key) => stage.oss.objects.set(key, Buffer.from(key)))
  return stage
}

const bodies = ({ fc }, route = 'list') => fc.requestsTo(route).map(({ body }) => body)

async function all(files) {
  const found = []
  for await (const { key } of files) found.push(key)
  return found
}

for (const [count, limit, calls] of [[0, 100, 1], [3, 100, 1], [100, 100, 1], [101, 100, 2], [7, 2, 4]]) {
  test(`${count} files by ${limit} come in the order of keys, in ${calls} calls`, async (t) => {
    const stage = await openFull(t, count)
    assert.deepEqual(await all(stage.uploader.list({ profile: 'avatar', limit })), keysUpTo(count))
    assert.equal(bodies(stage).length, calls)
    assert.ok(bodies(stage).every((body) => body.profile === 'avatar' && body.limit === limit))
  })
}

test('a page is asked for when its first file is wanted, not before', async (t) => {
  const stage = await openFull(t, 5)
  const files = stage.uploader.list({ limit: 2 })
  assert.equal(bodies(stage).length, 0)
  for (const calls of [1, 1, 2]) {
    assert.equal((await files.next()).done, false)
    assert.equal(bodies(stage).length, calls)
  }
})

test('who leaves the loop asks for no further page', async (t) => {
  const stage = await openFull(t, 5)
  for await (const { key } of stage.uploader.list({ limit: 2 })) if (key) break
  assert.equal(bodies(stage).length, 1)
})

test('pages say which is the last, and the URLs are those of the variant', async (t) => {
  const stage = await openFull(t, 5, { profile: 'album' })
  const files = stage.uploader.list({ limit: 2, variant: 'thumb' })
  const pages = [await files.page(), await files.page(), await files.page(), await files.page()]
  assert.deepEqual(pages.map(({ items, done }) => [items.length, done]), [[2, false], [2, false], [1, true], [0, true]])
  assert.match(pages[0].items[0].url, /000\.jpg\?x-oss-process=thumb$/)
  assert.deepEqual(bodies(stage).map(({ profile, variant, cursor }) => [profile, variant, cursor]), [
    ['album', 'thumb', undefined], ['album', 'thumb', keysUpTo(5)[1]], ['album', 'thumb', keysUpTo(5)[3]],
  ])
})

test('the profile is the one of the uploader, or default', async (t) => {
  const stage = await openFull(t, 1)
  await stage.uploader.list().page()
  assert.deepEqual(bodies(stage), [{ profile: 'default' }])
})

test('a page that is empty though there are more is passed over', async (t) => {
  const stage = await openFull(t, 1)
  stage.fc.plan.list.push({ body: { items: [], cursor: 'uploads/user/', serverTime: new Date().toISOString() } })
  assert.deepEqual(await all(stage.uploader.list()), keysUpTo(1))
})

test('calls that do not wait for each other get each file once', async (t) => {
  const stage = await openFull(t, 3)
  const files = stage.uploader.list({ limit: 2 })
  const found = await Promise.all([files.next(), files.next(), files.next(), files.next()])
  assert.deepEqual(found.map(({ value }) => value && value.key), [...keysUpTo(3), undefined])
  assert.equal(bodies(stage).length, 2)
})

test('after an error the next call goes on where it was', async (t) => {
  const stage = await openFull(t, 3, { retries: 0 })
  const files = stage.uploader.list({ limit: 2 })
  await files.page()
  stage.fc.plan.list.push(DROP)
  const error = await failureOf(files.page())
  assert.deepEqual([error.code, error.stage], ['network', 'list'])
  assert.deepEqual((await files.page()).items.map(({ key }) => key), keysUpTo(3).slice(2))
})

test('a list is asked for again by the rules of the uploads, and logs in once more on 401', async (t) => {
  const stage = await openFull(t, 1)
  stage.fc.plan.list.push(DROP, jsonError(401, 'unauthorized'))
  assert.deepEqual(await all(stage.uploader.list()), keysUpTo(1))
  assert.deepEqual([bodies(stage).length, bodies(stage, 'login').length], [3, 2])
})

for (const body of ['', 'null', {}, { items: {} }]) {
  test(`a list that is ${JSON.stringify(body)} is bad_answer`, async (t) => {
    const stage = await openStage(t)
    stage.fc.plan.list.push({ body })
    const error = await failureOf(stage.uploader.list().next())
    assert.deepEqual([error.code, error.stage], ['bad_answer', 'list'])
  })
}

test('own texts say what is wrong with a list or a deletion', async (t) => {
  const stage = await openStage(t, { texts: ({ stage: step }) => `${step}!` })
  stage.fc.plan.list.push(jsonError(404, 'not_found'))
  assert.equal((await failureOf(stage.uploader.list().next())).message, 'list!')
  const [{ error }] = await stage.uploader.delete(['posts/other/a.jpg'])
  assert.deepEqual([error.code, error.stage, error.message], ['forbidden', 'delete', 'delete!'])
})

test('a platform without the symbol of asynchronous iteration has next and page', async (t) => {
  const stage = await openFull(t, 1)
  const symbol = Symbol.asyncIterator
  const real = globalThis.Symbol
  t.after(() => { globalThis.Symbol = real })
  globalThis.Symbol = Object.assign(() => undefined, { iterator: real.iterator })
  const files = stage.uploader.list()
  globalThis.Symbol = real
  assert.deepEqual([files[symbol], Object.keys(files)], [undefined, ['next', 'page']])
  assert.equal((await files.next()).value.key, keysUpTo(1)[0])
})

test('a file is deleted, a second time as well', async (t) => {
  const stage = await openFull(t, 2)
  const [key] = keysUpTo(1)
  for (let times = 0; times < 2; times += 1) assert.deepEqual(await stage.uploader.delete(key), { key, state: 'gone' })
  assert.deepEqual([...stage.oss.objects.keys()], keysUpTo(2).slice(1))
})

test('of several a foreign one fails alone, as an error of the usual kind', async (t) => {
  const stage = await openFull(t, 2)
  const [one, other] = keysUpTo(2)
  const results = await stage.uploader.delete([one, 'uploads/foreign.jpg', other])
  assert.deepEqual(results.map(({ key, state }) => [key, state]), [[one, 'gone'], ['uploads/foreign.jpg', undefined], [other, 'gone']])
  const { name, code, message } = results[1].error
  assert.deepEqual([name, code, message], ['OssUploadError', 'forbidden', '这个账号没有权限。'])
  assert.equal((await failureOf(stage.uploader.delete('uploads/foreign.jpg'))).code, 'forbidden')
})

for (const [count, calls] of [[0, []], [20, [20]], [21, [20, 1]], [45, [20, 20, 5]]]) {
  test(`${count} keys are deleted in ${calls.length} calls`, async (t) => {
    const stage = await openFull(t, count)
    assert.equal((await stage.uploader.delete(keysUpTo(count))).length, count)
    assert.deepEqual(bodies(stage, 'delete').map(({ keys }) => keys.length), calls)
    assert.equal(stage.oss.objects.size, 0)
  })
}

test('what was deleted is asked for again, and no URL of it is kept', async (t) => {
  const stage = await openFull(t, 2)
  const [key, other] = keysUpTo(2)
  await stage.uploader.read([key, other], { variant: 'thumb' })
  await stage.uploader.read(key)
  await stage.uploader.delete(key)
  await stage.uploader.read([key, other], { variant: 'thumb' })
  assert.deepEqual(bodies(stage, 'read').at(-1).items, [{ key, variant: 'thumb' }])
})

for (const body of [{}, { results: [] }, { results: [{ key: 'a', state: 'held' }] }]) {
  test(`a deletion that is ${JSON.stringify(body)} is bad_answer`, async (t) => {
    const stage = await openStage(t)
    stage.fc.plan.delete.push({ body })
    const error = await failureOf(stage.uploader.delete('a'))
    assert.deepEqual([error.code, error.stage], ['bad_answer', 'delete'])
  })
}

test('the key to replace goes with its file, alone or among others', async (t) => {
  const stage = await openFull(t, 1, { function: { tickets: true } })
  const [old] = keysUpTo(1)
  const { key } = await stage.uploader.upload({ ...stage.file('new.jpg'), replaces: old }).promise
  assert.deepEqual([...stage.oss.objects.keys()], [key])
  await stage.uploader.uploadAll([{ ...stage.file('a.jpg'), replaces: key }, stage.file('b.jpg')])
  const [first, { files }] = bodies(stage, 'upload-params')
  assert.deepEqual([first.replaces, files.map(({ replaces }) => replaces)], [old, [key, undefined]])
})

test('a file that may not replace what it names does not sink those it was signed with', async (t) => {
  const stage = await openStage(t)
  const refuse = ({ body }) => ((body.files || [body]).some(({ replaces }) => replaces) ? jsonError(403, 'forbidden') : undefined)
  stage.fc.plan.sign.push(...Array(3).fill(refuse))
  const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), { ...stage.file('b.jpg'), replaces: 'avatars/other/old.jpg' }])
  assert.deepEqual(outcomes.map(({ status, reason }) => reason ? reason.code : status), ['fulfilled', 'forbidden'])
})

test('and with a large file', async (t) => {
  const stage = openParts(t)
  await stage.time.run(stage.upload({ replaces: 'videos/me/old.mp4' }).promise)
  const [{ body }] = stage.cloud.calls.filter(({ route }) => route === '/multipart')
  assert.equal(body.replaces, 'videos/me/old.mp4')
  assert.equal(typeof createLargeUploader({ endpoint: 'https://a.example.com', api: {} }).list, 'function')
})
