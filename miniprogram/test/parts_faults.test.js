'use strict'

/**
 * Whatever happens on the way: random faults, and random ends of the app, thousands of times, by a seed that a failure tells.
 * At every moment OSS holds one object at most for a file, and that is the whole file.
 */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { error: refusal } = require('./parts_cloud')
const { openParts: openStage, isStored, LEAST_PART } = require('./stage')

const RUNS = Number(process.env.PARTS_RUNS || 60)
const FILM = 'wxfile://tmp_film.mp4'
const HOUR = 3600000

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
    const stage = openStage(t, { count, size: count * LEAST_PART + Math.floor(chance() * LEAST_PART), cloud: { urlSeconds: 60 } })
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
      const stored = stage.cloud.puts.length * LEAST_PART
      rows.push(stored / stage.files[FILM].size - 1)
    })
  }
  assert.ok(Math.max(...rows) < 0.03, `OSS took more than once: ${rows}`)
})
