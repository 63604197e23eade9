'use strict'

/** One function, one OSS, one phone and an uploader between them, for one test. */

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { startFunction, startOss } = require('./servers')
const { createWx } = require('./wx')

const PATIENCE = 120000
const LIMIT = 20000 // of a call, the shortest

async function openStage(t, { function: functionOptions, wx: wxOptions, ...uploaderOptions } = {}) {
  const oss = await startOss()
  const fc = await startFunction(oss, functionOptions)
  const wx = createWx(typeof wxOptions === 'function' ? wxOptions(fc, oss) : wxOptions)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'client-test-'))
  t.after(async () => {
    wx.close()
    await Promise.all([fc.stop(), oss.stop()])
    fs.rmSync(folder, { recursive: true })
  })
  const uploader = createUploader({ endpoint: fc.origin, api: wx, backoff: 1, ...uploaderOptions })
  return { fc, oss, wx, uploader, file: (name, content) => makeFile(folder, name, content) }
}

function makeFile(folder, name = 'photo.jpg', content = 'some bytes of a picture') {
  const filePath = path.join(folder, name)
  fs.writeFileSync(filePath, content)
  return { filePath, name, size: Buffer.byteLength(content), contentType: 'image/jpeg' }
}

/** The error a promise is rejected with; a fulfilled promise fails the test. */
async function failureOf(promise) {
  const outcome = await promise.then((value) => ({ value }), (error) => ({ error }))
  if (!outcome.error) throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`)
  return outcome.error
}

/** Wait for something that is about to be so; a test that waits in vain fails. */
async function until(isSo) {
  const end = Date.now() + PATIENCE
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`not in ${PATIENCE} ms: ${isSo}`)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
}

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds) })

/** Let every timer of the client run many times faster, so that seconds pass in milliseconds. */
function hurryTimers(t, times = 100, below = Infinity) {
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait, ...args) => real(run, wait < below ? wait / times : wait, ...args))
}

/** The same of its pauses alone. */
const hurryPauses = (t) => hurryTimers(t, 100, LIMIT)

/** What the client would do after its pauses of a second and more, for the test to do. */
function holdPauses(t) {
  const held = []
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait, ...args) => (
    wait >= 1000 && wait < LIMIT ? held.push(() => run(...args)) : real(run, wait, ...args)
  ))
  return held
}

module.exports = { openStage, failureOf, holdPauses, hurryPauses, hurryTimers, pause, until }
