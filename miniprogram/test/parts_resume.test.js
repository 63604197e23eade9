'use strict'

/** Large files that are broken off: by a new start of the app, the background, a lost network, the user. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { error: refusal } = require('./parts_cloud')
const { openParts: openStage, fileOf, isStored, routes, numbers, failure, LEAST_PART, testsOn, fails } = require('./stage')

const HOUR = 3600000
const FILM = 'wxfile://tmp_film.mp4'
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (list) => [...list].sort((a, b) => a - b)

const onStage = testsOn(openStage)

/** Upload until so much is there, and close the app. */
async function breakOff(stage, percent, more) {
  stage.upload({ ...more, onProgress: ({ progress }) => { if (progress >= percent) stage.phone.kill() } })
  await stage.time.pass(HOUR)
  stage.storedBefore = stage.cloud.puts.length
  stage.cloud.calls.length = 0
  stage.open()
}

onStage('after a new start the same file goes on from what is missing, under the same ticket', { count: 60 }, async (stage) => {
  await breakOff(stage, 50)
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.equal(stage.cloud.uploads.size, 1)
  assert.ok(!routes(stage).includes('/multipart'))
  assert.ok(stage.storedBefore >= 30)
  assert.deepEqual(sorted(numbers(stage)), upTo(61), 'what was there is not sent again')
  assert.ok(stage.events[0].progress >= 49, 'progress begins where it was')
})

onStage('what is kept is gone when the file is stored', async (stage) => {
  await stage.time.run(stage.upload().promise)
  assert.deepEqual([...stage.storage.values()].map((text) => JSON.parse(text)).filter((each) => !each.token), [{}])
  await stage.time.run(stage.upload().promise)
  assert.equal(stage.cloud.objects.size, 2, 'the same file again is another upload')
})

for (const [name, change] of [
  ['another size', (stage) => { stage.files[FILM] = fileOf(50 * LEAST_PART, { seed: 2 }) }],
  ['the same size, but changed since', (stage) => { stage.files[FILM] = { ...fileOf(stage.files[FILM].size, { seed: 2 }), changed: 2 } }],
  ['another context', () => {}, { context: { order: 7 } }],
  ['another profile', () => {}, { profile: 'video' }],
  ['another user', (stage) => stage.open({ user: 'li' })],
  ['a storage that was cleared', (stage) => stage.storage.clear()],
  ['a storage that holds something strange', (stage) => [...stage.storage.keys()].forEach((key) => stage.storage.set(key, '"strange"'))],
]) {
  const more = { 'another context': { context: { order: 7 } }, 'another profile': { profile: 'video' } }[name]
  test(`${name}: the upload begins anew`, async (t) => {
    const profile = { partSize: LEAST_PART, maxSize: 2 ** 40, parts: true }
    const stage = openStage(t, { count: 40, cloud: { profiles: { default: profile, video: profile } } })
    await breakOff(stage, 50)
    change(stage)
    isStored(stage, await stage.time.run(stage.upload(more).promise), Object(more).filePath)
    assert.equal(routes(stage).find((route) => route !== '/multipart-abort'), '/multipart')
    assert.equal(stage.cloud.objects.size, 1)
  })
}

test('a storage that is full costs the going on, not the upload', async (t) => {
  const shown = t.mock.method(console, 'error', () => {})
  const stage = openStage(t, { count: 40 })
  stage.phone.full = true
  stage.upload({ onProgress: ({ progress }) => { if (progress > 50) stage.phone.kill() } })
  await stage.time.pass(HOUR)
  stage.open()
  stage.phone.full = true
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.equal(stage.cloud.uploads.size, 2)
  assert.ok(shown.mock.callCount() > 0)
})

onStage('a platform without a storage uploads all the same', async (stage) => {
  for (const name of ['getStorageSync', 'setStorageSync', 'removeStorageSync']) delete stage.phone.api[name]
  isStored(stage, await stage.time.run(stage.upload().promise))
})

onStage('of unfinished uploads the last twenty are kept', async (stage) => {
  for (let index = 0; index < 25; index += 1) {
    stage.files[`wxfile://${index}.mp4`] = fileOf(3 * LEAST_PART + index, { seed: index })
    stage.upload({ filePath: `wxfile://${index}.mp4`, onProgress: () => stage.phone.kill() })
    await stage.time.pass(1000)
    stage.open()
  }
  const [kept] = [...stage.storage.values()].map((text) => JSON.parse(text)).filter((each) => !each.token)
  assert.deepEqual(Object.keys(kept).map((name) => Number(/ (\d+)-/.exec(name)[1]) - 3 * LEAST_PART), upTo(24).slice(4))
})

for (const [name, lose, seconds] of [
  ['the ticket has ended', () => {}, 86400],
  ['OSS has forgotten the upload', ({ cloud }) => cloud.uploads.forEach((_, id) => cloud.forget(id)), 0],
  ['the function knows nothing of the ticket', ({ cloud }) => cloud.tickets.clear(), 0],
]) {
  onStage(`${name}: the upload begins anew, and its progress does not fall`, { count: 40 }, async (stage) => {
    await breakOff(stage, 50)
    await stage.time.pass(1000 * seconds)
    lose(stage)
    isStored(stage, await stage.time.run(stage.upload().promise))
    assert.equal(stage.cloud.objects.size, 1)
    assert.deepEqual(routes(stage).slice(0, 2), ['/multipart-parts', '/multipart'])
  })

  onStage(`${name} while the file is sent: it begins anew, and its progress does not fall`, { count: 60 }, async (stage) => {
    let lost = false
    const onProgress = (event) => {
      stage.events.push(event)
      if (lost || event.progress < 50) return
      lost = true
      if (seconds) stage.cloud.uploads.forEach((upload) => { upload.ends = 0 })
      lose(stage)
    }
    isStored(stage, await stage.time.run(stage.upload({ onProgress }).promise))
    assert.equal(stage.cloud.objects.size, 1)
    const seen = stage.events.map(({ loaded }) => loaded)
    assert.deepEqual(seen, sorted(seen))
  })
}

onStage('an upload that is forgotten again and again ends with what the function says', { count: 40 }, async (stage) => {
  stage.phone.fault = ({ url }) => (url.endsWith('/multipart-parts') ? refusal(410, 'upload_gone') : undefined)
  const error = await failure(stage, stage.upload().promise)
  assert.equal(error.code, 'upload_gone')
  assert.equal(stage.cloud.uploads.size, 9)
})

onStage('a deployment that has given up its parts meanwhile gets the rest as a whole, by a form', { count: 40 }, async (stage) => {
  await breakOff(stage, 50)
  stage.cloud.profiles.default.parts = false
  stage.cloud.tickets.clear()
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.equal(routes(stage).at(-1), '/upload-params')
})

// --- the end, when its answer is lost

onStage('a file that was put together before the app was closed gives its receipt, and no byte is sent', { count: 10 }, async (stage) => {
  stage.phone.fault = ({ url }) => { if (url.endsWith('complete')) setTimeout(() => stage.phone.kill(), 50) }
  stage.upload()
  await stage.time.pass(HOUR)
  assert.equal(stage.cloud.objects.size, 1)
  const before = stage.cloud.puts.length
  stage.open()
  const value = await stage.time.run(stage.upload().promise)
  assert.match(value.receipt, /^receipt/)
  assert.deepEqual([stage.cloud.puts.length, stage.cloud.objects.size], [before, 1])
})

onStage('a ticket that ends after the file may have been put together leaves the outcome open, and makes no second object', { count: 3 }, async (stage) => {
  stage.phone.fault = ({ url }) => {
    if (!url.endsWith('complete')) return undefined
    if (!stage.cloud.objects.size) return { drop: 'after' }
    return refusal(403, 'forbidden')
  }
  const error = await failure(stage, stage.upload().promise)
  assert.deepEqual([error.code, error.message, error.retryable], ['unknown_outcome', '文件可能已传好，请先查看再决定是否重传。', false])
  assert.ok(stage.cloud.objects.has(error.key))
  assert.equal(stage.cloud.objects.size, 1)
})

onStage('the same when the app was closed in between', { count: 3 }, async (stage) => {
  stage.phone.fault = ({ url }) => { if (url.endsWith('complete')) setTimeout(() => stage.phone.kill(), 50) }
  stage.upload()
  await stage.time.pass(25 * HOUR)
  stage.open()
  assert.equal((await failure(stage, stage.upload().promise)).code, 'unknown_outcome')
  assert.equal(stage.cloud.objects.size, 1)
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.equal(stage.cloud.objects.size, 2, 'whoever has looked and uploads again gets another object')
})

onStage('a ticket that ends before anything was put together means anew', { count: 3 }, async (stage) => {
  stage.phone.fault = ({ url }) => {
    if (url.endsWith('complete') && stage.cloud.uploads.size === 1) stage.cloud.uploads.forEach((upload) => { upload.ends = 0 })
  }
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.deepEqual([stage.cloud.uploads.size, stage.cloud.objects.size], [2, 1])
})

onStage('what the function still misses at the end is sent', { count: 10 }, async (stage) => {
  let once = true
  stage.phone.fault = ({ url }) => {
    if (url.endsWith('complete') && once) stage.cloud.uploads.forEach(({ parts }) => { parts.delete(2); parts.delete(7) })
    once = once && !url.endsWith('complete')
  }
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.deepEqual(routes(stage), ['/multipart', '/multipart-complete', '/multipart-parts', '/multipart-complete'])
})

onStage('a function that always misses something ends the upload', { count: 3 }, async (stage) => {
  stage.phone.fault = ({ url }) => (url.endsWith('complete') ? refusal(409, 'incomplete', { missing: [1] }) : undefined)
  assert.equal((await failure(stage, stage.upload().promise)).code, 'incomplete')
  assert.ok(routes(stage).length < 25)
})

onStage('a name that is taken at the end is told', { count: 3 }, async (stage) => {
  stage.phone.fault = ({ url }) => (url.endsWith('complete') ? refusal(409, 'already_exists') : undefined)
  await fails(stage.upload().promise, { code: 'already_exists', retryable: false, stage: 'upload' }, stage.time)
})

// --- the background, the network

for (const [what, stop, goOn, isTwice] of [
  ['in the background', ({ phone }) => phone.hide(0), ({ phone }) => phone.show(), true],
  ['without a network', ({ phone }) => phone.disconnect(), ({ phone }) => phone.connect(), true],
  ['in the background, where the network is lost and found,', ({ phone }) => { phone.hide(0); phone.disconnect(); phone.connect() }, ({ phone }) => phone.show(), true],
  ['while it is paused', (stage, task) => task.pause(), (stage, task) => task.resume(), false],
]) {
  onStage(`${what} no part begins, however long; then it goes on, and nothing of that is a retry`, { count: 60, retries: 0 }, async (stage) => {
    const task = stage.upload()
    for (let times = 0; times < 4; times += 1) {
      await stage.time.pass(400)
      stop(stage, task)
      await stage.time.pass(1000)
      const begun = stage.phone.calls.length
      await stage.time.pass(5 * HOUR)
      assert.deepEqual([stage.phone.calls.length, stage.phone.inFlight], [begun, 0], 'something began meanwhile')
      goOn(stage, task)
    }
    isStored(stage, await stage.time.run(task.promise))
    if (!isTwice) assert.deepEqual(sorted(numbers(stage)), upTo(61), 'nothing is sent twice for it')
  })
}

onStage('an interruption that is told only when the app is in front again holds nothing up', { count: 12, retries: 0, phone: { bytesPerSecond: 50000 } }, async (stage) => {
  const { promise } = stage.upload()
  await stage.time.pass(1000)
  stage.phone.hide(1e9)
  stage.phone.show()
  stage.phone.calls.filter(({ settled }) => !settled).forEach((call) => call.fail('interrupted'))
  const shown = stage.time.now()
  const begun = stage.phone.calls.length
  await stage.time.pass(1000)
  assert.ok(stage.phone.calls.length >= begun + 3, 'all three parts go on at once')
  isStored(stage, await stage.time.run(promise))
  assert.ok(stage.time.now() - shown < 12000)
})

onStage('what OSS had when the background broke it off is not sent again', { count: 40, retries: 0 }, async (stage) => {
  const { promise } = stage.upload()
  await stage.time.pass(500)
  stage.phone.hide(70) // after the bytes have arrived, before their answers
  await stage.time.pass(HOUR)
  stage.phone.show()
  isStored(stage, await stage.time.run(promise))
  assert.deepEqual(sorted(numbers(stage)), upTo(41))
})

for (const events of [true, false]) {
  test(`an interruption that nobody has announced is no retry either, ${events ? 'and ends when the app is shown' : 'where the platform tells nothing'}`, async (t) => {
    const stage = openStage(t, { count: 10, retries: 0, phone: { has: { events } } })
    let left = 4
    const { request } = stage.phone.api
    stage.phone.api.request = (options) => {
      if (options.method !== 'PUT' || left <= 0) return request(options)
      left -= 1
      setTimeout(options.fail, 10, { errMsg: 'request:fail interrupted' })
      return { abort() {} }
    }
    const began = stage.time.now()
    const { promise } = stage.upload()
    if (events) {
      await stage.time.pass(1000)
      stage.phone.show()
    }
    isStored(stage, await stage.time.run(promise))
    assert.ok(events ? stage.time.now() - began < 9000 : stage.time.now() - began >= 5000)
  })
}

// --- the user

onStage('the time of a pause is no part of the speed', { count: 60 }, async (stage) => {
  const task = stage.upload()
  await stage.time.pass(2000)
  const before = stage.events.at(-1).speed
  task.pause()
  await stage.time.pass(HOUR)
  assert.equal(stage.events.at(-1).speed, 0)
  stage.events.length = 0
  task.resume()
  await stage.time.run(task.promise)
  const later = stage.events.filter(({ speed }) => speed).map(({ speed }) => speed)
  assert.ok(before > 500000 && Math.min(...later) > before / 4, `${before}, then ${Math.min(...later)}`)
})

onStage('pausing before the first part, twice, resuming twice, and aborting what is finished is all one', async (stage) => {
  const task = stage.upload()
  task.pause()
  task.pause()
  await stage.time.pass(HOUR)
  assert.equal(stage.phone.calls.length, 0)
  task.resume()
  task.resume()
  isStored(stage, await stage.time.run(task.promise))
  task.pause()
  task.resume()
  task.abort()
  await stage.time.pass(HOUR)
  assert.equal(routes(stage).at(-1), '/multipart-complete', 'what is finished is aborted no more')
})

onStage('a paused file leaves the way to the others', { count: 20 }, async (stage) => {
  stage.files['wxfile://b.mp4'] = fileOf(20 * LEAST_PART, { seed: 2 })
  const first = stage.upload()
  await stage.time.pass(300)
  first.pause()
  isStored(stage, await stage.time.run(stage.upload({ filePath: 'wxfile://b.mp4' }).promise), 'wxfile://b.mp4')
  assert.ok(!stage.events.some(({ progress, total }) => progress === 100 && total === stage.files[FILM].size))
  first.resume()
  await stage.time.run(first.promise)
})

onStage('abort ends it at once, tells the function, and forgets what was kept', { count: 40 }, async (stage) => {
  const task = stage.upload()
  await stage.time.pass(1000)
  task.abort()
  await fails(task.promise, { code: 'aborted', message: '已取消。' }, stage.time)
  await stage.time.pass(HOUR)
  assert.equal(routes(stage).at(-1), '/multipart-abort')
  assert.equal([...stage.cloud.uploads.values()].filter(({ aborted }) => aborted).length, 1)
  assert.ok(stage.phone.calls.every(({ settled }) => settled))
  assert.equal(stage.cloud.objects.size, 0)
  stage.cloud.calls.length = 0
  await stage.time.run(stage.upload().promise)
  assert.equal(routes(stage).find((route) => route !== '/multipart-abort'), '/multipart')
})

onStage('abort while the upload begins is told as well, when its ticket is there', async (stage) => {
  const task = stage.upload()
  await stage.time.pass(60)
  task.abort()
  await failure(stage, task.promise)
  await stage.time.pass(HOUR)
  assert.deepEqual(routes(stage), ['/multipart', '/multipart-abort'])
  assert.ok([...stage.cloud.uploads.values()].every(({ aborted }) => aborted))
  assert.deepEqual(numbers(stage), [])
})

for (const [name, put] of [['paused', (_, task) => task.pause()], ['in the background', ({ phone }) => phone.hide(0)], ['without a network', ({ phone }) => phone.disconnect()]]) {
  onStage(`an upload that is ${name} is aborted, and nothing of it goes on`, { count: 40 }, async (stage) => {
    const task = stage.upload()
    await stage.time.pass(1000)
    put(stage, task)
    await stage.time.pass(1000)
    task.abort()
    assert.equal((await failure(stage, task.promise)).code, 'aborted')
    const puts = stage.phone.calls.filter(({ options }) => options.method === 'PUT').length
    task.resume()
    stage.phone.show()
    stage.phone.connect()
    await stage.time.pass(HOUR)
    assert.equal(stage.phone.calls.filter(({ options }) => options.method === 'PUT').length, puts)
    assert.equal(stage.time.waiting(), 0, 'a timer is left')
  })
}

onStage('the same file twice at once makes two uploads, of which one may be aborted', { count: 20 }, async (stage) => {
  const [one, other] = [stage.upload(), stage.upload()]
  await stage.time.pass(1000)
  one.abort()
  await failure(stage, one.promise)
  isStored(stage, await stage.time.run(other.promise))
})

onStage('logging out ends what is under way and forgets what was kept, so that nobody goes on with it', { count: 40 }, async (stage) => {
  await breakOff(stage, 50)
  stage.files['wxfile://b.mp4'] = fileOf(40 * LEAST_PART, { seed: 2 })
  const task = stage.upload({ filePath: 'wxfile://b.mp4' })
  await stage.time.pass(500)
  stage.uploader.logOut()
  assert.equal((await failure(stage, task.promise)).code, 'aborted')
  await stage.time.pass(HOUR)
  assert.deepEqual([...stage.storage.keys()], [])
  stage.cloud.calls.length = 0
  await stage.time.run(stage.upload().promise)
  assert.deepEqual(routes(stage)[0], '/multipart')
})

test('logging out while an answer is on its way keeps nothing, and nothing begins anew', async (t) => {
  for (const [route, code] of [['/multipart-complete', 'upload_gone'], ['/multipart-complete', 'incomplete'], ['/multipart-parts', 'upload_gone']]) {
    await t.test(`${route}: ${code}`, async (each) => {
      const stage = openStage(each, { count: 40 })
      const statusCode = code === 'incomplete' ? 409 : 410
      stage.phone.fault = ({ url }) => {
        if (!url.endsWith(route)) return undefined
        setTimeout(stage.uploader.logOut)
        return { statusCode, data: JSON.stringify({ error: { code, missing: [1] } }), header: {} }
      }
      assert.equal((await failure(stage, stage.upload().promise)).code, 'aborted')
      await stage.time.pass(HOUR)
      assert.deepEqual([...stage.storage.keys()], [])
      assert.equal(routes(stage).filter((name) => name === '/multipart').length, 1)
      assert.equal(stage.cloud.tokens.size, 2, 'nobody logs in again')
    })
  }
})
