'use strict'

/** Large files in parts: what is sent, in which order, and what the page is told. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { taroOf } = require('./other_platforms')
const { error: refusal, FUNCTION } = require('./parts_cloud')
const { openParts: openStage, fileOf, isStored, routes, numbers, failure, LEAST_PART, testsOn, fails } = require('./stage')

const onStage = testsOn(openStage)

const MIB = 2 ** 20
const upTo = (count) => Array.from({ length: count }, (_, index) => index + 1)
const sorted = (list) => [...list].sort((a, b) => a - b)

onStage('stores the very bytes of a large file, each part once, and answers as for any upload', { count: 57 }, async (stage) => {
  const value = await stage.time.run(stage.upload().promise)
  isStored(stage, value)
  assert.deepEqual(sorted(numbers(stage)), upTo(58))
  assert.deepEqual(value, {
    key: value.key, url: `https://bucket.oss.test/${value.key}`, uploadId: value.uploadId, statusCode: 200, data: value.data,
    receipt: value.data.receipt, confirmed: true, exists: false, state: 'stored', held: false,
  })
  assert.match(value.receipt, /^receipt\./)
  assert.match(value.uploadId, /^our-/)
})

test('says that it is held where the function says so', async (t) => {
  const profiles = { default: { partSize: LEAST_PART, maxSize: 2 ** 40, parts: true, state: 'held' } }
  const stage = openStage(t, { cloud: { profiles } })
  const { state, held, confirmed } = await stage.time.run(stage.upload().promise)
  assert.deepEqual([state, held, confirmed], ['held', true, true])
})

for (const [count, most] of [[19, 2], [57, 6]]) {
  onStage(`a file of ${count} parts and a bit needs at most ${most} questions, and is completed once`, { count }, async (stage) => {
    await stage.time.run(stage.upload().promise)
    const seen = routes(stage)
    assert.deepEqual([seen[0], seen.at(-1), seen.length <= most], ['/multipart', '/multipart-complete', true], seen.join())
  })
}

onStage('tells the function what is known of the file, which without a name is named after its path', { profile: 'default' }, async (stage) => {
  await stage.time.run(stage.upload({ context: { order: 7 }, name: undefined }).promise)
  const { size } = stage.files['wxfile://tmp_film.mp4']
  assert.deepEqual(stage.cloud.calls[1].body, { profile: 'default', filename: 'tmp_film.mp4', contentType: 'video/mp4', size, context: { order: 7 } })
})

for (const [name, size, options, way] of [
  ['one byte under 5 MiB goes by a form', 5 * MIB - 1, { partsFrom: undefined }, '/upload-params'],
  ['5 MiB goes in parts', 5 * MIB, { partsFrom: undefined }, '/multipart'],
  ['under partsFrom goes by a form', 999, { partsFrom: 1000 }, '/upload-params'],
  ['with partsFrom 0 goes in parts, however small', 1, { partsFrom: 0 }, '/multipart'],
]) {
  onStage(`a file of ${name}`, { size, ...options }, async (stage) => {
    const value = await stage.time.run(stage.upload().promise)
    assert.equal(routes(stage)[0], way)
    isStored(stage, value)
  })
}

for (const [size, way] of [[5 * MIB, '/multipart'], [1000, '/upload-params']]) {
  onStage(`a file of unknown size is measured: ${size} bytes go to ${way}`, { size, partsFrom: undefined }, async (stage) => {
    isStored(stage, await stage.time.run(stage.upload({ size: undefined }).promise))
    assert.equal(routes(stage)[0], way)
    assert.equal(stage.cloud.calls[1].body.size, size)
  })
}

onStage('the size that counts is the file\'s, not the one that was told', async (stage) => {
  isStored(stage, await stage.time.run(stage.upload({ size: 12345 }).promise))
})

onStage('a phone that measures nothing is believed what the page says', { phone: { has: { stat: false } } }, async (stage) => {
  isStored(stage, await stage.time.run(stage.upload().promise))
})

for (const concurrency of [1, 2, undefined, 5]) {
  onStage(`with concurrency ${concurrency} as many parts are in flight, of all files together, and no more buffers alive`, { count: 30, ...(concurrency && { concurrency }) }, async (stage) => {
    for (const seed of [2, 3]) stage.files[`wxfile://${seed}.mp4`] = fileOf(20 * LEAST_PART, { seed })
    const tasks = Object.keys(stage.files).map((filePath) => stage.upload({ filePath }))
    const values = await stage.time.run(Promise.all(tasks.map(({ promise }) => promise)))
    values.forEach((value, index) => isStored(stage, value, Object.keys(stage.files)[index]))
    const most = concurrency || 3
    assert.equal(stage.phone.mostAlive, most)
    const puts = stage.phone.calls.filter(({ options }) => options.method === 'PUT')
    assert.equal(puts.length, 31 + 20 + 20)
  })
}

onStage('each part is read where it stands, the last one as long as it is', { count: 3 }, async (stage) => {
  await stage.time.run(stage.upload().promise)
  assert.deepEqual(stage.phone.reads, [
    { how: 'readFile', position: 0, length: LEAST_PART },
    { how: 'readFile', position: LEAST_PART, length: LEAST_PART },
    { how: 'readFile', position: 2 * LEAST_PART, length: LEAST_PART },
    { how: 'readFile', position: 3 * LEAST_PART, length: 1000 },
  ])
})

const LARGE = { size: 100 * MIB + 5, cloud: { profiles: { default: { partSize: 10 * MIB, maxSize: 2 ** 40, parts: true } } } }

onStage('a file of over 100 MB is read by its descriptor, which is closed each time', LARGE, async (stage) => {
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.deepEqual([...new Set(stage.phone.reads.map(({ how }) => how))], ['read'])
  assert.equal(stage.phone.open.size, 0)
})

onStage('where there are no descriptors a file of over 100 MB is read as any other', { ...LARGE, phone: { has: { open: false } } }, async (stage) => {
  isStored(stage, await stage.time.run(stage.upload().promise))
})

for (const [name, options] of [['readFile', {}], ['a descriptor', LARGE]]) {
  onStage(`a short read by ${name} is an error, never a shorter part`, options, async (stage) => {
    stage.phone.short = 1000
    await fails(stage.upload().promise, { code: 'file_unreadable', message: '读不到这个文件，请重新选择。', detail: 'short read' }, stage.time)
    assert.deepEqual(numbers(stage), [])
    await stage.time.pass(100)
    assert.equal(stage.phone.open.size, 0)
  })
}

onStage('a file that can no longer be read ends the upload with the words of the platform', { count: 40 }, async (stage) => {
  const task = stage.upload({ onProgress: ({ progress }) => { stage.phone.broken = progress > 30 } })
  const error = await failure(stage, task.promise)
  assert.deepEqual([error.code, error.stage, error.retryable], ['file_unreadable', 'upload', false])
  assert.match(error.detail, /no such file/)
  assert.match(error.key, /^video\//)
})

for (const [name, cloud] of [
  ['has no parts at all', { profiles: { default: { maxSize: 2 ** 40 } } }],
  ['has parts for other profiles', { profiles: { default: { maxSize: 2 ** 40 }, video: { partSize: LEAST_PART, maxSize: 2 ** 40, parts: true } } }],
]) {
  onStage(`a function that ${name} gets the file by a form`, { cloud }, async (stage) => {
    const value = await stage.time.run(stage.upload().promise)
    isStored(stage, value)
    assert.deepEqual(routes(stage), ['/multipart', '/upload-params'])
    assert.equal(stage.events.at(-1).progress, 100)
  })
}

onStage('a platform that reads no files sends them by a form', { phone: { has: { fs: false } } }, async (stage) => {
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.deepEqual(routes(stage), ['/upload-params'])
})

onStage('an unknown profile is told, not tried by a form', async (stage) => {
  await fails(stage.upload({ profile: 'nothing' }).promise, { code: 'unknown_profile', stage: 'sign' }, stage.time)
  assert.deepEqual(routes(stage), ['/multipart'])
})

test('a file over the size of its profile is refused with the limits, in a whole sentence', async (t) => {
  const stage = openStage(t, { cloud: { profiles: { default: { partSize: LEAST_PART, maxSize: 2 * MIB, parts: true } } }, count: 30 })
  await fails(stage.upload().promise, { code: 'too_large', limits: { maxSize: 2 * MIB }, message: '文件太大，最大 2 MB。' }, stage.time)
})

onStage('an answer that is no list of parts is told as such', async (stage) => {
  stage.phone.fault = ({ url }) => (/multipart$/.test(url) ? { statusCode: 200, data: '{"ticket": "t"}' } : undefined)
  assert.equal((await failure(stage, stage.upload().promise)).code, 'bad_answer')
})

onStage('small and large files of one batch go their own ways, with one progress', { count: 60, partsFrom: 5 * MIB }, async (stage) => {
  const events = []
  stage.files['wxfile://a.jpg'] = fileOf(1000, { seed: 2 })
  const files = [stage.film(), { filePath: 'wxfile://a.jpg', size: 1000, contentType: 'image/jpeg' }]
  const batch = stage.uploader.uploadAll(files, { onProgress: (event) => events.push(event) })
  const [film, photo] = await stage.time.run(batch)
  isStored(stage, film.value)
  isStored(stage, photo.value, 'wxfile://a.jpg')
  assert.deepEqual(events.at(-1), { progress: 100, loaded: files[0].size + 1000, total: files[0].size + 1000, finished: 2, failed: 0, count: 2 })
  assert.ok(events.length > 60)
})

onStage('after the first question no login is needed: the ticket is enough', { count: 50 }, async (stage) => {
  const task = stage.upload({ onProgress: () => stage.cloud.tokens.clear() })
  isStored(stage, await stage.time.run(task.promise))
})

// --- progress

onStage('progress counts the bytes that are stored, never falls, and is 100 when the function has said so', { count: 30 }, async (stage) => {
  const { size } = stage.files['wxfile://tmp_film.mp4']
  await stage.time.run(stage.upload().promise)
  const { events } = stage
  assert.deepEqual(events.map(({ loaded }) => loaded), sorted(events.map(({ loaded }) => loaded)))
  events.forEach(({ loaded, total, progress }, index) => {
    const expected = Math.floor(100 * loaded / total)
    assert.equal(progress, index < events.length - 1 ? Math.min(expected, 99) : 100)
    assert.ok(total === size && (loaded === size || loaded % LEAST_PART === 0 || loaded % LEAST_PART === 1000))
  })
  assert.equal(events.filter(({ progress }) => progress === 100).length, 1)
  assert.equal(events.length, 1 + 31 + 1 + routes(stage).filter((route) => route === '/multipart-parts').length)
})

onStage('speed and the time that is left are those of the last parts', { count: 300, phone: { latency: 1 }, concurrency: 1 }, async (stage) => {
  const task = stage.upload({
    onProgress: (event) => {
      stage.events.push(event)
      if (event.progress >= 50) stage.phone.bytesPerSecond = 2 ** 18
    },
  })
  await stage.time.run(task.promise)
  const at = (percent) => stage.events.find(({ progress }) => progress === percent)
  assert.deepEqual([stage.events[0].speed, stage.events[0].timeLeft], [0, null])
  for (const [percent, speed] of [[45, 2 ** 20], [90, 2 ** 18]]) {
    const event = at(percent)
    assert.ok(Math.abs(event.speed / speed - 1) < 0.15, `${event.speed} at ${percent} %`)
    assert.equal(event.timeLeft, Math.ceil((event.total - event.loaded) / event.speed))
  }
})

onStage('what was stored by an earlier start is no speed', { count: 100, concurrency: 1 }, async (stage) => {
  stage.upload({ onProgress: ({ progress }) => { if (progress >= 80) stage.phone.kill() } })
  await stage.time.pass(3600000)
  stage.open()
  await stage.time.run(stage.upload().promise)
  assert.deepEqual([stage.events[0].progress, stage.events[0].speed], [80, 0])
  assert.ok(stage.events.every(({ speed }) => speed < 2 ** 20))
})

// --- what is lost on the way

/** The given fault for the numbers, once each. */
function once(wanted, fault) {
  const left = new Set(wanted)
  return ({ url, method }) => {
    const number = method === 'PUT' && Number(new URL(url).searchParams.get('partNumber'))
    return left.delete(number) ? fault : undefined
  }
}

for (const [name, fault] of [['was lost', { drop: 'before' }], ['OSS answered with 500', { statusCode: 500, data: '' }], ['OSS answered with 503', { statusCode: 503, data: '' }]]) {
  onStage(`a part that ${name} is sent again, and no other`, { count: 30 }, async (stage) => {
    stage.phone.fault = once([3, 17, 31], fault)
    isStored(stage, await stage.time.run(stage.upload().promise))
    assert.equal(stage.phone.calls.filter(({ options }) => options.method === 'PUT').length, 31 + 3)
    assert.deepEqual(sorted(numbers(stage)), upTo(31))
  })
}

onStage('what went through while the function was looking is not sent again', { count: 57 }, async (stage) => {
  stage.phone.fault = ({ url }) => (url.endsWith('/multipart-parts') ? { wait: 2000 } : undefined)
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.deepEqual(sorted(numbers(stage)), upTo(58))
  const progress = stage.events.map(({ progress: so }) => so)
  assert.deepEqual(progress, sorted(progress))
})

for (const [name, fault] of [['was lost', { drop: 'after' }], ['was a 500', { statusCode: 500, data: '', work: true }]]) {
  onStage(`a part whose answer ${name} is asked about, not sent again`, { count: 30 }, async (stage) => {
    stage.phone.fault = once([3, 17, 31], fault)
    isStored(stage, await stage.time.run(stage.upload().promise))
    assert.deepEqual(sorted(numbers(stage)), upTo(31), 'no byte travelled twice')
  })
}

onStage('one retry for each failure in a row: what was stored in between begins the count anew', { count: 30, retries: 1, concurrency: 1 }, async (stage) => {
  let turn = 0
  stage.phone.fault = ({ method }) => { turn += method === 'PUT'; return turn % 2 && method === 'PUT' ? { drop: 'before' } : undefined }
  isStored(stage, await stage.time.run(stage.upload().promise))
})

onStage('gives up after the wanted number of retries, and knows where it was', { retries: 2, concurrency: 1 }, async (stage) => {
  stage.phone.fault = ({ method }) => (method === 'PUT' ? { drop: 'before' } : undefined)
  const error = await failure(stage, stage.upload().promise)
  assert.deepEqual([error.code, error.stage, error.retryable, error.message], ['network', 'upload', true, '网络不通，请检查后再试。'])
  assert.match(error.key, /^video\//)
  assert.equal(stage.phone.calls.filter(({ options }) => options.method === 'PUT').length, 3)
  stage.phone.fault = () => undefined
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.equal(stage.cloud.uploads.size, 1, 'and goes on there')
})

onStage('without a wish a part is tried nine times, over a quarter of a minute and more', { concurrency: 1 }, async (stage) => {
  stage.phone.fault = ({ method }) => (method === 'PUT' ? { drop: 'before' } : undefined)
  const began = stage.time.now()
  await failure(stage, stage.upload().promise)
  assert.equal(stage.phone.calls.filter(({ options }) => options.method === 'PUT').length, 9)
  assert.ok(stage.time.now() - began > 15000)
})

for (const route of ['/multipart', '/multipart-parts', '/multipart-complete']) {
  for (const [name, fault] of [
    ['a lost question', { drop: 'before' }], ['a lost answer', { drop: 'after' }], ['a 503', { ...refusal(503, 'oss_unavailable', {}, { 'Retry-After': '5' }) }],
    ['a 429', { ...refusal(429, 'too_many_requests', {}, { 'Retry-After': '60' }) }],
  ]) {
    onStage(`${route} is asked again after ${name}`, { count: 30 }, async (stage) => {
      let times = 2
      stage.phone.fault = ({ url }) => { if (url.endsWith(route) && times) { times -= 1; return fault } return undefined }
      const began = stage.time.now()
      isStored(stage, await stage.time.run(stage.upload().promise))
      assert.equal(stage.cloud.objects.size, 1)
      const wait = Number(Object(fault.header)['Retry-After'] || 0)
      assert.ok(stage.time.now() - began >= 2000 * wait)
    })
  }

  onStage(`${route}: a wait of more than a minute is told at once`, { count: 30 }, async (stage) => {
    stage.phone.fault = ({ url }) => (url.endsWith(route) ? refusal(503, 'oss_unavailable', {}, { 'Retry-After': '61' }) : undefined)
    await fails(stage.upload().promise, { code: 'oss_unavailable', retryAfter: 61, retryable: false, message: '服务正忙，请在 61 秒后再试。' }, stage.time)
    assert.equal(stage.phone.calls.filter(({ options }) => options.url.endsWith(route)).length, 1)
  })
}

onStage('a question that is given up is given up once, not by each part', { count: 30, retries: 2 }, async (stage) => {
  stage.phone.fault = ({ url }) => (url.endsWith('/multipart-parts') ? { drop: 'before' } : undefined)
  assert.equal((await failure(stage, stage.upload().promise)).code, 'network')
  assert.equal(stage.phone.calls.filter(({ options }) => options.url.endsWith('/multipart-parts')).length, 3)
})

onStage('what is under way is broken off when the upload has failed', { count: 30, phone: { bytesPerSecond: 20000 } }, async (stage) => {
  const { promise } = stage.upload()
  await stage.time.pass(7000)
  stage.phone.broken = true
  assert.equal((await failure(stage, promise)).code, 'file_unreadable')
  assert.deepEqual(stage.phone.calls.filter(({ settled }) => !settled), [])
})

// --- old URLs

onStage('on a slow network the URLs are renewed before they end', { count: 60, cloud: { urlSeconds: 60 }, phone: { bytesPerSecond: 20000 } }, async (stage) => {
  let refused = 0
  const { request } = stage.phone.api
  stage.phone.api.request = (options) => request({ ...options, success: (res) => { refused += res.statusCode === 403; options.success(res) } })
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.equal(refused, 0)
  assert.deepEqual(sorted(numbers(stage)), upTo(61))
})

onStage('a refused URL is replaced by a fresh one', { count: 10 }, async (stage) => {
  stage.phone.fault = once([2, 3, 9], { statusCode: 403, data: '<Error><Code>AccessDenied</Code><Message>Request has expired.</Message></Error>' })
  isStored(stage, await stage.time.run(stage.upload().promise))
  assert.deepEqual(sorted(numbers(stage)), upTo(11))
})

for (const hours of [-5, 5]) {
  test(`a phone whose clock is ${hours} hours off uploads all the same`, async (t) => {
    const stage = openStage(t, { count: 60, cloud: { clockAhead: -hours * 3600000, urlSeconds: 60 }, phone: { bytesPerSecond: 20000 } })
    isStored(stage, await stage.time.run(stage.upload().promise))
    assert.deepEqual(sorted(numbers(stage)), upTo(61))
    assert.ok(routes(stage).length < 20, 'no URL is thrown away before its time')
  })
}

onStage('a bucket that refuses every part ends it, and soon', async (stage) => {
  stage.phone.fault = ({ method }) => (method === 'PUT' ? { statusCode: 403, data: '<Error><Code>AccessDenied</Code><Message>No.</Message></Error>' } : undefined)
  await fails(stage.upload().promise, { code: 'access_denied', ossCode: 'AccessDenied', stage: 'upload' }, stage.time)
  assert.ok(stage.phone.calls.length < 25)
})

// --- other platforms

test('uploads on Taro, over refused URLs and lost answers, without an unhandled rejection', async (t) => {
  const unhandled = []
  const listener = (reason) => unhandled.push(reason)
  process.on('unhandledRejection', listener)
  t.after(() => process.off('unhandledRejection', listener))
  const stage = openStage(t, { count: 25 })
  const faults = [once([2, 9], { statusCode: 403, data: '<Error><Code>AccessDenied</Code></Error>' }), once([4, 20], { drop: 'after' })]
  stage.phone.fault = (request) => faults.map((fault) => fault(request)).find(Boolean)
  const uploader = createLargeUploader({ endpoint: FUNCTION, api: taroOf(stage.phone.api), partsFrom: 0, now: stage.time.now })
  isStored(stage, await stage.time.run(uploader.upload(stage.film()).promise))
  assert.deepEqual(sorted(numbers(stage)), upTo(26))
  assert.deepEqual(unhandled, [])
})

test('createLargeUploader wants what createUploader wants', () => {
  assert.throws(() => createLargeUploader({ api: {} }), TypeError)
  assert.throws(() => createLargeUploader({ endpoint: FUNCTION }), TypeError)
})

onStage('what is passed on to the phone goes with every part', { enableQuic: true }, async (stage) => {
  const { request } = stage.phone.api
  const passed = []
  stage.phone.api.request = (options) => {
    if (options.method === 'PUT') passed.push(options.enableQuic, 'enableHttp2' in options)
    return request(options)
  }
  await stage.time.run(stage.upload().promise)
  assert.deepEqual(new Set(passed), new Set([true, false]))
})
