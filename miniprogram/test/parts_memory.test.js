'use strict'

/** Half a gigabyte in the memory of a few parts: the buffers that the garbage collector can not take. */

const assert = require('node:assert/strict')
const { test } = require('node:test')
const v8 = require('node:v8')
const vm = require('node:vm')
const { openParts: openStage } = require('./stage')

const MIB = 2 ** 20
const EVERY = 20 // parts between two looks

test('of 500 MB at most four parts are in memory', async (t) => {
  v8.setFlagsFromString('--expose-gc')
  const collect = vm.runInNewContext('gc')
  const cloud = { keep: false, profiles: { default: { partSize: MIB, maxSize: 2 ** 40, parts: true } } }
  const stage = openStage(t, { size: 500 * MIB, cloud, phone: { bytesPerSecond: 20 * MIB, has: { open: false } } })
  const buffers = []
  const fs = stage.phone.api.getFileSystemManager()
  const { readFile } = fs
  fs.readFile = (options) => readFile({
    ...options, success: (res) => { buffers.push(new WeakRef(res.data)); options.success(res) },
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
