'use strict'

/** Two hours on a slow network, and half a gigabyte in the memory of a few parts. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const v8 = require('node:v8')
const vm = require('node:vm')
const { openParts: openStage, isStored, numbers, routes, LEAST_PART, testsOn } = require('./stage')

const HOUR = 3600000
const MIB = 2 ** 20
const EVERY = 20 // parts between two looks

const onStage = testsOn(openStage)

test('two hours with URLs of 15 minutes, sessions of an hour, and a login that has ended meanwhile', async (t) => {
  const count = 720
  const bytesPerSecond = count * LEAST_PART / 7200 / 3 // of each of the three parts
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

onStage('two hours with a network that is gone every few minutes, and the app closed twice', { count: 400, phone: { bytesPerSecond: 400 * LEAST_PART / 7200 / 3 } }, async (stage) => {
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
    collect()
    seen.push(buffers.filter((each) => each.deref()).length)
  }
  await stage.time.run(stage.upload().promise)
  t.diagnostic(`${Math.max(...seen)} parts of ${MIB} bytes alive at most, of ${buffers.length}`)
  assert.equal(buffers.length, 500)
  assert.ok(seen.length >= 25)
  assert.ok(Math.max(...seen) <= 4, `alive: ${seen}`)
  assert.ok(Math.max(...seen) >= 2, 'the parts were not seen at all')
})
