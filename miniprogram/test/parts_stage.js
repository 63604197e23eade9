'use strict'

/** One cloud, one phone with files on it, virtual time, and an uploader for large files between them. */

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
const { openCloud, FUNCTION, LEAST_PART } = require('./parts_cloud')
const { openPhone } = require('./parts_phone')
const { virtualTime } = require('./virtual_time')

const BLOCK = 4096
const PATTERN = crypto.createHash('sha512').update('a film').digest()

/** A file of any size that takes no memory: each block says where in which file it stands. */
function fileOf(size, { seed = 1, changed = 1 } = {}) {
  function read(position, length) {
    assert.equal(position % BLOCK, 0)
    const bytes = Buffer.alloc(length, PATTERN)
    for (let at = 0; at + 8 <= length; at += BLOCK) {
      bytes.writeUInt32LE((position + at) / BLOCK, at)
      bytes.writeUInt32LE(seed, at + 4)
    }
    return bytes
  }
  return { size, changed, read }
}

/** `count` parts and a short one, unless a size is given. */
function openStage(t, { count = 7, size = count * LEAST_PART + 1000, cloud: cloudOptions, phone: phoneOptions, ...options } = {}) {
  const time = virtualTime(t)
  const cloud = openCloud({ now: time.now, ...cloudOptions })
  const files = { 'wxfile://tmp_film.mp4': fileOf(size) }
  const storage = new Map()
  const stage = { time, cloud, files, storage, events: [] }
  const settings = { endpoint: FUNCTION, partsFrom: 0, backoff: 500, now: time.now, ...options }

  /** The app, opened anew: the phone keeps its storage and its files. */
  stage.open = (more) => {
    if (stage.phone) stage.phone.kill()
    stage.phone = openPhone({ handle: cloud.handle, now: time.now, files, storage, ...phoneOptions })
    stage.uploader = createLargeUploader({ api: stage.phone.api, ...settings, ...more })
    return stage.uploader
  }
  stage.film = (more) => ({
    filePath: 'wxfile://tmp_film.mp4', name: 'film.mp4', size: files['wxfile://tmp_film.mp4'].size, contentType: 'video/mp4',
    onProgress: (event) => stage.events.push(event), ...more,
  })
  stage.upload = (more) => stage.uploader.upload(stage.film(more))
  stage.open()
  return stage
}

/** Every byte of the file is what OSS holds, and holds once. */
function isStored({ cloud, files }, value, path = 'wxfile://tmp_film.mp4') {
  const { size, read } = files[path]
  assert.ok(cloud.objects.get(value.key).equals(read(0, size)), 'the object is not the file')
}

const routes = ({ cloud }) => cloud.calls.map(({ route }) => route).filter((route) => route !== '/login')
const numbers = ({ cloud }) => cloud.puts.map(({ number }) => number)

/** The error that a promise ends with; a promise that is kept fails the test. */
async function failure(stage, promise) {
  const { error, value } = await stage.time.run(promise.then((value) => ({ value }), (error) => ({ error })))
  if (!error) throw new Error(`expected a failure, got ${JSON.stringify(value)}`)
  return error
}

module.exports = { openStage, fileOf, isStored, routes, numbers, failure, LEAST_PART }
