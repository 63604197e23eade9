'use strict'

/**
 * Whatever happens on the way: random faults, and random ends of the app, thousands of times, by a seed that a failure tells.
 * At every moment OSS holds one object at most for a file, and that is the whole file. Then hours on a slow network, and
 * half a gigabyte in the memory of a few parts.
 */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const v8 = require('node:v8')
const vm = require('node:vm')
const { error: refusal } = require('./parts_cloud')
const { openParts, isStored, numbers, routes, testsOn } = require('./stage')

const RUNS = Number(process.env.PARTS_RUNS || 60)
const FILM = 'wxfile://tmp_film.mp4'
const HOUR = 3600000
const MIB = 2 ** 20
const EVERY = 20 // parts between two looks
const PART = 10240 // a tenth of the least part of OSS on a tenth of the network: the same seconds, fewer bytes to hash

const openStage = (t, { count, size = count * PART + 1000, cloud, phone, ...options }) => openParts(t, {
  size, cloud: { leastPart: PART, profiles: { default: { partSize: PART, maxSize: 2 ** 40, parts: true } }, ...cloud }, phone: { bytesPerSecond: MIB / 10, ...phone }, ...options,
})

/** Numbers from 0 up to 1, the same ones for the same seed. */
function chances(seed) {
  let state = seed * 2654435761 % 2 ** 32
  return () => {
    state = (state + 0x6d2b79f5) % 2 ** 32
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const DENIED = { statusCode: 403, data: '<Error><Code>AccessDenied</Code><Message>Request has expired.</Message></Error>' }

/** Of 100 requests `percent` fail, in every way there is. */
function faultsOf(chance, percent) {
  return ({ method }) => {
    if (chance() * 100 >= percent) return undefined
    const ways = [
      { drop: 'before' }, { drop: 'after' }, { statusCode: 500, data: '' }, { statusCode: 500, data: '', work: true },
      method === 'PUT' ? DENIED : refusal(503, 'oss_unavailable', {}, { 'Retry-After': '2' }),
    ]
    return ways[Math.floor(chance() * ways.length)]
  }
}

/** What may happen to a phone while a file is sent, by chance. */
function happen(stage, chance, task) {
  const { phone } = stage
  const what = Math.floor(chance() * 8)
  if (what === 0) phone.hide(Math.floor(chance() * 200))
  else if (what === 1) phone.show()
  else if (what === 2) phone.disconnect()
  else if (what === 3) phone.connect()
  else if (what === 4) task.pause()
  else if (what === 5) task.resume()
  else if (what === 6 && chance() < 0.2) stage.cloud.uploads.forEach((upload, id) => upload.open && stage.cloud.forget(id))
  else if (what === 7) return true // the app is closed
  return false
}

function backToNormal({ phone }, task) {
  task.resume()
  phone.show()
  phone.connect()
}

function never(stage) {
  const { size, read } = stage.files[FILM]
  return ({ objects }) => {
    assert.ok(objects.size <= 1, 'two objects of one file')
    for (const bytes of objects.values()) assert.ok(bytes.equals(read(0, size)), 'an object that is not the file')
  }
}

for (let seed = 1; seed <= RUNS; seed += 1) {
  test(`one object, the whole file or none, whatever happens (seed ${seed})`, async (t) => {
    t.mock.method(Math, 'random', chances(seed + 1e6))
    const chance = chances(seed)
    const count = 1 + Math.floor(chance() * 50)
    const stage = openStage(t, { count, size: count * PART + Math.floor(chance() * PART), cloud: { urlSeconds: 60 } })
    stage.cloud.onChange = never(stage)
    const faults = faultsOf(chance, 30)
    const outcome = await untilStored(stage, chance, faults)
    isStored(stage, outcome)
    assert.equal(stage.cloud.objects.size, 1)
    const { events } = stage
    assert.deepEqual(events.at(-1).progress, 100)
    await stage.time.pass(HOUR)
    assert.equal(stage.time.waiting(), 0, 'a timer is left')
  })
}

/** Start after start, as a user does who wants it uploaded. */
async function untilStored(stage, chance, faults) {
  for (let starts = 0; starts < 200; starts += 1) {
    stage.open()
    stage.phone.fault = faults
    const marks = []
    stage.events.length = 0
    const task = stage.upload({ onProgress: (event) => { stage.events.push(event); marks.push(event.loaded) } })
    let outcome
    task.promise.then((value) => { outcome = { value } }, (error) => { outcome = { error } })
    let closed = false
    for (let turns = 0; !outcome && !closed && turns < 30; turns += 1) {
      await stage.time.pass(Math.floor(chance() * 3000))
      closed = happen(stage, chance, task)
    }
    if (!closed && !outcome) {
      backToNormal(stage, task)
      await stage.time.run(task.promise.catch(() => {}))
      await stage.time.pass(1)
    }
    assert.deepEqual(marks, [...marks].sort((a, b) => a - b), 'progress fell')
    if (outcome && outcome.value) return outcome.value
    if (outcome) assert.ok(outcome.error.retryable, `${outcome.error.code} ${outcome.error.detail}`)
  }
  throw new Error('not stored after 200 starts')
}

test('with 30 % of all requests failing, few bytes travel twice', async (t) => {
  const rows = []
  for (const seed of [1, 2, 3]) {
    await t.test(`seed ${seed}`, async (t2) => {
      t2.mock.method(Math, 'random', chances(seed))
      const stage = openStage(t2, { count: 100, retries: 12 })
      stage.phone.fault = faultsOf(chances(seed), 30)
      isStored(stage, await stage.time.run(stage.upload().promise))
      const stored = stage.cloud.puts.length * PART
      rows.push(stored / stage.files[FILM].size - 1)
    })
  }
  assert.ok(Math.max(...rows) < 0.03, `OSS took more than once: ${rows}`)
})

// --- long

test('two hours with URLs of 15 minutes, sessions of an hour, and a login that has ended meanwhile', async (t) => {
  const count = 720
  const bytesPerSecond = count * PART / 7200 / 3 // of each of the three parts
  const stage = openStage(t, { count, phone: { bytesPerSecond } })
  const statuses = []
  const { request } = stage.phone.api
  stage.phone.api.request = (options) => request({ ...options, success: (res) => { statuses.push(res.statusCode); options.success(res) } })
  const began = stage.time.now()
  const { promise } = stage.upload()
  await stage.time.pass(HOUR)
  stage.cloud.tokens.clear()
  isStored(stage, await stage.time.run(promise))
  const hours = (stage.time.now() - began) / HOUR
  assert.ok(hours > 1.9 && hours < 2.2, `${hours} hours`)
  assert.deepEqual([...new Set(statuses)], [200], 'no URL was used after its end')
  assert.equal(new Set(numbers(stage)).size, count + 1)
  assert.equal(numbers(stage).length, count + 1, 'no part twice')
  assert.ok(routes(stage).length < 60, `${routes(stage).length} calls of the function`)
})

testsOn(openStage)('two hours with a network that is gone every few minutes, and the app closed twice', { count: 400, phone: { bytesPerSecond: 400 * PART / 7200 / 3 } }, async (stage) => {
  let task = stage.upload()
  for (let minutes = 4; minutes < 240 && !stage.cloud.objects.size; minutes += 4) {
    await stage.time.pass(200000)
    stage.phone.disconnect()
    await stage.time.pass(40000)
    stage.phone.connect()
    if (minutes === 40 || minutes === 80) {
      stage.open()
      task = stage.upload()
    }
  }
  isStored(stage, await stage.time.run(task.promise))
  assert.equal(stage.cloud.uploads.size, 1)
})

// What is alive are the buffers that the garbage collector can not take.
test('of 500 MB at most four parts are in memory', async (t) => {
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc')
  const cloud = { keep: false, profiles: { default: { partSize: MIB, maxSize: 2 ** 40, parts: true } } }
  const stage = openStage(t, { size: 500 * MIB, cloud, phone: { bytesPerSecond: 20 * MIB, has: { open: false } } })
  const buffers = []
  const fs = stage.phone.api.getFileSystemManager()
  const { readFile } = fs
  fs.readFile = (options) => readFile({
    ...options, success: (res) => { if (options.length > 65536) buffers.push(new WeakRef(res.data)); options.success(res) }, // no sample
  })
  const seen = []
  let sent = 0
  stage.phone.fault = ({ method }) => {
    sent += method === 'PUT'
    if (sent % EVERY) return
    // What a WeakRef was made for is alive until its task ends; and the first call may only end a collection
    // that began before, for which everything newer is alive.
    setImmediate(() => {
      collect()
      collect()
      seen.push(buffers.filter((each) => each.deref()).length)
    })
  }
  await stage.time.run(stage.upload().promise)
  t.diagnostic(`${Math.max(...seen)} parts of ${MIB} bytes alive at most, of ${buffers.length}`)
  assert.equal(buffers.length, 500)
  assert.ok(seen.length >= 25)
  assert.ok(Math.max(...seen) <= 4, `alive: ${seen}`)
  assert.ok(Math.max(...seen) >= 2, 'the parts were not seen at all')
})
