'use strict'

/** What a user has stored: seen by its URLs, listed page by page, deleted, replaced. */

const assert = require('node:assert/strict')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { jsonError, DROP } = require('./servers')
const { openParts, openStage, failureOf, until, onStage, testsOn, fails } = require('./stage')

const asked = (stage) => stage.fc.requestsTo('read').map(({ body }) => body.items.map(({ key }) => key))
const keysUpTo = (count) => Array.from({ length: count }, (_, index) => `uploads/user/${String(index).padStart(3, '0')}.jpg`)
const always = (answer) => Array(9).fill(answer)

onStage('one key gives one URL, a list a list in its order', async (stage) => {
  assert.equal(await stage.uploader.read('a.jpg', { variant: 'thumb' }), `${stage.oss.origin}/a.jpg?x-oss-process=thumb`)
  const urls = await stage.uploader.read(['c.jpg', 'b.jpg', 'c.jpg'])
  assert.deepEqual(urls, ['c', 'b', 'c'].map((name) => `${stage.oss.origin}/${name}.jpg?x-oss-process=null`))
  assert.deepEqual(stage.fc.requestsTo('read').map(({ body }) => body.items), [
    [{ key: 'a.jpg', variant: 'thumb' }], [{ key: 'c.jpg' }, { key: 'b.jpg' }],
  ])
})

onStage('nothing wanted is nothing asked', async (stage) => {
  assert.deepEqual(await stage.uploader.read([]), [])
  assert.equal(stage.wx.platform.calls.length, 0)
})

for (const [count, calls] of [[50, [50]], [51, [50, 1]], [120, [50, 50, 20]]]) {
  onStage(`${count} keys are asked for in ${calls.length} calls`, async (stage) => {
    const urls = await stage.uploader.read(keysUpTo(count))
    assert.deepEqual(urls, keysUpTo(count).map((key) => `${stage.oss.origin}/${key}?x-oss-process=null`))
    assert.deepEqual(asked(stage).map(({ length }) => length).sort((one, other) => other - one), calls)
  })
}

onStage('a URL is used again, for its key and variant alone', async (stage) => {
  const first = await stage.uploader.read(['a.jpg', 'b.jpg'])
  assert.deepEqual(await stage.uploader.read(['b.jpg', 'a.jpg']), [first[1], first[0]])
  assert.equal(await stage.uploader.read('a.jpg'), first[0])
  assert.notEqual(await stage.uploader.read('a.jpg', { variant: 'thumb' }), first[0])
  await stage.uploader.read(['c.jpg', 'a.jpg', 'd.jpg'])
  assert.deepEqual(asked(stage), [['a.jpg', 'b.jpg'], ['a.jpg'], ['c.jpg', 'd.jpg']])
})

for (const [name, hours, readSeconds, ahead] of [
  ['a URL is kept for half of its life', 0, 600, [0, 295000, 305000]], ['so it is on a phone whose clock is slow', 5, 600, [0, 295000, 305000]],
  ['and on one whose clock is fast', -5, 600, [0, 295000, 305000]], ['a public URL is kept for good', 0, null, [0, 1e12]],
]) {
  onStage(name, { function: { readSeconds, clockAhead: hours * 3600000 } }, async (stage) => {
    const calls = []
    for (stage.ahead of ahead) {
      await stage.uploader.read('a.jpg')
      calls.push(asked(stage).length)
    }
    assert.deepEqual(calls, [1, 1, 2].slice(0, ahead.length))
  })
}

onStage('a URL without a readable end is used once', async (stage) => {
  const answer = { body: { items: [{ url: 'https://bucket.example.com/a.jpg', expiresAt: 'soon' }] } }
  stage.fc.plan.read.push(answer, answer)
  assert.equal(await stage.uploader.read('a.jpg'), 'https://bucket.example.com/a.jpg')
  await stage.uploader.read('a.jpg')
  assert.equal(asked(stage).length, 2)
})

onStage('what is being asked for is not asked for again', async (stage) => {
  const reads = [['a.jpg', 'b.jpg'], 'a.jpg', ['b.jpg', 'c.jpg']].map((keys) => stage.uploader.read(keys))
  const [[a, b], same, [sameB]] = await Promise.all(reads)
  assert.deepEqual([same, sameB], [a, b])
  assert.deepEqual(asked(stage).flat().sort(), ['a.jpg', 'b.jpg', 'c.jpg'])
})

onStage('at most 500 URLs are kept, those that were asked for last', async (stage) => {
  await stage.uploader.read(keysUpTo(520))
  await stage.uploader.read(keysUpTo(520).slice(20))
  assert.equal(asked(stage).length, 11)
  await stage.uploader.read('uploads/user/000.jpg')
  assert.equal(asked(stage).length, 12)
})

onStage('a URL that was asked for anew is not the first to be dropped', async (stage) => {
  await stage.uploader.read('old.jpg')
  stage.ahead = 200000
  await stage.uploader.read(keysUpTo(499))
  stage.ahead = 310000
  await stage.uploader.read('old.jpg')
  await stage.uploader.read('one more.jpg')
  const calls = asked(stage).length
  await stage.uploader.read('old.jpg')
  assert.equal(asked(stage).length, calls)
})

onStage('a list with one key that is refused is refused, in a sentence, and nothing of it is kept', async (stage) => {
  stage.fc.plan.read.push(jsonError(403, 'forbidden'))
  await fails(stage.uploader.read(['a.jpg', 'of/another.jpg']), { code: 'forbidden', stage: 'read', retryable: false, message: '这个账号没有权限。' })
  assert.equal(asked(stage).length, 1)
  assert.match(await stage.uploader.read('a.jpg'), /a\.jpg/)
})

onStage('a key that another asked for beside one that is refused is not refused with it', async (stage) => {
  const refuseOthers = ({ body }) => (body.items.some(({ key }) => key.startsWith('of/')) ? jsonError(403, 'forbidden') : undefined)
  stage.fc.plan.read.push(...always(refuseOthers))
  const all = failureOf(stage.uploader.read(['a.jpg', 'of/another.jpg']))
  const one = stage.uploader.read('a.jpg')
  assert.equal((await all).code, 'forbidden')
  assert.match(await one, /a\.jpg/)
})

onStage('a network that fails is shared: nobody asks the more for it', { retries: 0, plan: { read: [...always(DROP)] } }, async (stage) => {
  const errors = await Promise.all([['a.jpg', 'b.jpg'], 'a.jpg'].map((keys) => failureOf(stage.uploader.read(keys))))
  assert.deepEqual(errors.map(({ code, stage: step }) => [code, step]), [['network', 'read'], ['network', 'read']])
  assert.equal(asked(stage).length, 1)
})

onStage('what failed is not kept', { retries: 0, plan: { read: [DROP] } }, async (stage) => {
  await failureOf(stage.uploader.read('a.jpg'))
  assert.match(await stage.uploader.read('a.jpg'), /a\.jpg/)
})

onStage('who logs out leaves no URL to the next, and two uploaders share none', async (stage) => {
  await stage.uploader.read('a.jpg')
  stage.uploader.logOut()
  await stage.uploader.read('a.jpg')
  await createUploader({ endpoint: stage.fc.origin, api: stage.wx }).read('a.jpg')
  assert.equal(asked(stage).length, 3)
})

onStage('a URL that arrives after its user has gone is not kept for the next', async (stage) => {
  const answer = { items: [{ url: 'https://x.example.com/of-who-has-gone', expiresAt: null }], serverTime: new Date().toISOString() }
  stage.fc.plan.read.push({ after: 30, body: answer })
  const first = stage.uploader.read('a.jpg')
  await until(() => asked(stage).length)
  stage.uploader.logOut()
  assert.match(await first, /of-who-has-gone/)
  assert.doesNotMatch(await stage.uploader.read('a.jpg'), /of-who-has-gone/)
})

// --- listed, deleted, replaced

/** A stage on which so many files are stored. */
async function openFull(t, count, options) {
  const stage = await openStage(t, options)
  keysUpTo(count).forEach((key) => stage.oss.objects.set(key, Buffer.from(key)))
  return stage
}

const onFull = testsOn(openFull)
const bodies = ({ fc }, route = 'list') => fc.requestsTo(route).map(({ body }) => body)

async function all(files) {
  const found = []
  for await (const { key } of files) found.push(key)
  return found
}

for (const [count, limit, calls] of [[0, 100, 1], [3, 100, 1], [100, 100, 1], [101, 100, 2], [7, 2, 4]]) {
  onFull(`${count} files by ${limit} come in the order of keys, in ${calls} calls`, count, async (stage) => {
    assert.deepEqual(await all(stage.uploader.list({ profile: 'avatar', limit })), keysUpTo(count))
    assert.equal(bodies(stage).length, calls)
    assert.ok(bodies(stage).every((body) => body.profile === 'avatar' && body.limit === limit))
    await stage.uploader.list().page()
    assert.deepEqual(bodies(stage).at(-1), { profile: 'default' })
  })
}

onFull('a page is asked for when its first file is wanted, not before', 5, async (stage) => {
  const files = stage.uploader.list({ limit: 2 })
  assert.equal(bodies(stage).length, 0)
  for (const calls of [1, 1, 2]) {
    assert.equal((await files.next()).done, false)
    assert.equal(bodies(stage).length, calls)
  }
})

onFull('who leaves the loop asks for no further page', 5, async (stage) => {
  for await (const { key } of stage.uploader.list({ limit: 2 })) if (key) break
  assert.equal(bodies(stage).length, 1)
})

onFull('pages say which is the last, and the URLs are those of the variant', 5, { profile: 'album' }, async (stage) => {
  const files = stage.uploader.list({ limit: 2, variant: 'thumb' })
  const pages = [await files.page(), await files.page(), await files.page(), await files.page()]
  assert.deepEqual(pages.map(({ items, done }) => [items.length, done]), [[2, false], [2, false], [1, true], [0, true]])
  assert.match(pages[0].items[0].url, /000\.jpg\?x-oss-process=thumb$/)
  assert.deepEqual(bodies(stage).map(({ profile, variant, cursor }) => [profile, variant, cursor]), [
    ['album', 'thumb', undefined], ['album', 'thumb', keysUpTo(5)[1]], ['album', 'thumb', keysUpTo(5)[3]],
  ])
})

onFull('a page that is empty though there are more is passed over', 1, async (stage) => {
  stage.fc.plan.list.push({ body: { items: [], cursor: 'uploads/user/', serverTime: new Date().toISOString() } })
  assert.deepEqual(await all(stage.uploader.list()), keysUpTo(1))
})

onFull('calls that do not wait for each other get each file once', 3, async (stage) => {
  const files = stage.uploader.list({ limit: 2 })
  const found = await Promise.all([files.next(), files.next(), files.next(), files.next()])
  assert.deepEqual(found.map(({ value }) => value && value.key), [...keysUpTo(3), undefined])
  assert.equal(bodies(stage).length, 2)
})

onFull('after an error the next call goes on where it was', 3, { retries: 0 }, async (stage) => {
  const files = stage.uploader.list({ limit: 2 })
  await files.page()
  stage.fc.plan.list.push(DROP)
  await fails(files.page(), { code: 'network', stage: 'list' })
  assert.deepEqual((await files.page()).items.map(({ key }) => key), keysUpTo(3).slice(2))
})

onStage('own texts say what is wrong with a list or a deletion', { texts: ({ stage: step }) => `${step}!` }, async (stage) => {
  stage.fc.plan.list.push(jsonError(404, 'not_found'))
  assert.equal((await failureOf(stage.uploader.list().next())).message, 'list!')
  const [{ error }] = await stage.uploader.delete(['posts/other/a.jpg'])
  assert.deepEqual([error.code, error.stage, error.message], ['forbidden', 'delete', 'delete!'])
})

onFull('a platform without the symbol of asynchronous iteration has next and page', 1, async (stage, t) => {
  const symbol = Symbol.asyncIterator
  const real = globalThis.Symbol
  t.after(() => { globalThis.Symbol = real })
  globalThis.Symbol = Object.assign(() => undefined, { iterator: real.iterator })
  const files = stage.uploader.list()
  globalThis.Symbol = real
  assert.deepEqual([files[symbol], Object.keys(files)], [undefined, ['next', 'page']])
  assert.equal((await files.next()).value.key, keysUpTo(1)[0])
})

onFull('a file is deleted, a second time as well', 2, async (stage) => {
  const [key] = keysUpTo(1)
  for (let times = 0; times < 2; times += 1) assert.deepEqual(await stage.uploader.delete(key), { key, state: 'gone' })
  assert.deepEqual([...stage.oss.objects.keys()], keysUpTo(2).slice(1))
})

onFull('of several a foreign one fails alone, as an error of the usual kind', 2, async (stage) => {
  const [one, other] = keysUpTo(2)
  const results = await stage.uploader.delete([one, 'uploads/foreign.jpg', other])
  assert.deepEqual(results.map(({ key, state }) => [key, state]), [[one, 'gone'], ['uploads/foreign.jpg', undefined], [other, 'gone']])
  const { name, code, message } = results[1].error
  assert.deepEqual([name, code, message], ['OssUploadError', 'forbidden', '这个账号没有权限。'])
  assert.equal((await failureOf(stage.uploader.delete('uploads/foreign.jpg'))).code, 'forbidden')
})

for (const [count, calls] of [[0, []], [20, [20]], [21, [20, 1]], [45, [20, 20, 5]]]) {
  onFull(`${count} keys are deleted in ${calls.length} calls`, count, async (stage) => {
    assert.equal((await stage.uploader.delete(keysUpTo(count))).length, count)
    assert.deepEqual(bodies(stage, 'delete').map(({ keys }) => keys.length), calls)
    assert.equal(stage.oss.objects.size, 0)
  })
}

onFull('what was deleted is asked for again, and no URL of it is kept', 2, async (stage) => {
  const [key, other] = keysUpTo(2)
  await stage.uploader.read([key, other], { variant: 'thumb' })
  await stage.uploader.read(key)
  await stage.uploader.delete(key)
  await stage.uploader.read([key, other], { variant: 'thumb' })
  assert.deepEqual(bodies(stage, 'read').at(-1).items, [{ key, variant: 'thumb' }])
})

onFull('the key to replace goes with its file, alone or among others', 1, { function: { tickets: true } }, async (stage) => {
  const [old] = keysUpTo(1)
  const { key } = await stage.uploader.upload({ ...stage.file('new.jpg'), replaces: old }).promise
  assert.deepEqual([...stage.oss.objects.keys()], [key])
  await stage.uploader.uploadAll([{ ...stage.file('a.jpg'), replaces: key }, stage.file('b.jpg')])
  const [first, { files }] = bodies(stage, 'upload-params')
  assert.deepEqual([first.replaces, files.map(({ replaces }) => replaces)], [old, [key, undefined]])
})

onStage('a file that may not replace what it names does not sink those it was signed with', async (stage) => {
  const refuse = ({ body }) => ((body.files || [body]).some(({ replaces }) => replaces) ? jsonError(403, 'forbidden') : undefined)
  stage.fc.plan.sign.push(...Array(3).fill(refuse))
  const outcomes = await stage.uploader.uploadAll([stage.file('a.jpg'), { ...stage.file('b.jpg'), replaces: 'avatars/other/old.jpg' }])
  assert.deepEqual(outcomes.map(({ status, reason }) => reason ? reason.code : status), ['fulfilled', 'forbidden'])
})

testsOn(openParts)('and with a large file', async (stage) => {
  await stage.time.run(stage.upload({ replaces: 'videos/me/old.mp4' }).promise)
  const [{ body }] = stage.cloud.calls.filter(({ route }) => route === '/multipart')
  assert.equal(body.replaces, 'videos/me/old.mp4')
  assert.equal(typeof createLargeUploader({ endpoint: 'https://a.example.com', api: {} }).list, 'function')
})
