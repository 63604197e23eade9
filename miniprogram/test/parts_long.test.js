'use strict'

/** Two hours on a slow network. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { openParts: openStage, isStored, numbers, routes, LEAST_PART } = require('./stage')

const HOUR = 3600000

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

test('two hours with a network that is gone every few minutes, and the app closed twice', async (t) => {
  const stage = openStage(t, { count: 400, phone: { bytesPerSecond: 400 * LEAST_PART / 7200 / 3 } })
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
