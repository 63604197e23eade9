'use strict'

/** Stages of one test each: servers, a phone and the client between them; a tag or a page of it above, by jsdom; parts in virtual time. */

const assert = require('node:assert/strict')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { openCloud, FUNCTION, LEAST_PART } = require('./parts_cloud')
const { openPhone, virtualTime } = require('./parts_phone')
const { startFunction, startOss } = require('./servers')
const { createWx } = require('./wx')

const PACKAGE = path.join(__dirname, '../example/utils/oss-direct-upload')
const EXAMPLE = path.join(__dirname, '../example')
const FILM = 'wxfile://tmp_film.mp4'
const PATIENCE = 120000
const LIMIT = 20000 // of a call, the shortest
const TIMEOUTS = [LIMIT, 60000, 120000]
const realTimeout = globalThis.setTimeout

// --- servers and a phone

async function openServers(functionOptions) {
  const oss = await startOss()
  const fc = await startFunction(oss, functionOptions)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'client-test-'))
  const stop = async () => {
    await Promise.all([fc.stop(), oss.stop()])
    fs.rmSync(folder, { recursive: true })
  }
  return { oss, fc, folder, stop }
}

/** `oss` and `plan`: what OSS, and the function by its routes, answer first. */
async function openStage(t, { function: functionOptions, wx: wxOptions, oss: ofOss = [], plan = {}, ...uploaderOptions } = {}) {
  const { oss, fc, folder, stop } = await openServers(functionOptions)
  const wx = createWx(typeof wxOptions === 'function' ? wxOptions(fc, oss) : wxOptions)
  t.after(async () => {
    wx.close()
    await stop()
  })
  oss.plan.push(...ofOss)
  for (const [route, answers] of Object.entries(plan)) fc.plan[route].push(...answers)
  const stage = { fc, oss, wx, ahead: 0, file: (name, content) => makeFile(folder, name, content) }
  const now = () => Date.now() + stage.ahead // a test may turn it
  stage.uploader = createUploader({ endpoint: fc.origin, api: wx, backoff: 1, now, ...uploaderOptions })
  return stage
}

/** `test` with what `open(t, options)` makes: title, options if any, run(stage, t). */
const testsOn = (open) => (title, ...rest) => {
  const run = rest.pop()
  test(title, async (t) => run(await open(t, ...rest), t))
}

function makeFile(folder, name = 'photo.jpg', content = 'some bytes of a picture') {
  const filePath = path.join(folder, name)
  fs.writeFileSync(filePath, content)
  return { filePath, name, size: Buffer.byteLength(content), contentType: 'image/jpeg' }
}

/** The task of an upload, once OSS has all of its form. */
async function sending({ uploader, file, oss }, ...named) {
  const task = uploader.upload(file(...named))
  await until(() => oss.posts.length)
  return task
}

/** The error a promise is rejected with; a fulfilled promise fails the test. */
async function failureOf(promise) {
  const outcome = await promise.then((value) => ({ value }), (error) => ({ error }))
  if (!outcome.error) throw new Error(`expected a failure, got ${JSON.stringify(outcome.value)}`)
  return outcome.error
}

/** Fails unless a promise is rejected with an error of these fields; `time`: the virtual one that it needs. */
async function fails(promise, fields, time) {
  const error = await (time ? time.run(failureOf(promise)) : failureOf(promise))
  assert.deepEqual(Object.fromEntries(Object.keys(fields).map((name) => [name, error[name]])), fields, error.stack)
}

/** Wait for something that is about to be so; a test that waits in vain fails, with what its page shows. */
async function until(isSo, page) {
  for (const end = Date.now() + PATIENCE; !isSo();) {
    if (Date.now() > end) throw new Error(`not in ${PATIENCE} ms: ${isSo}${page ? `; the page shows: ${page.dom.textContent}` : ''}`)
    await pause(1)
  }
}

const pause = (milliseconds) => new Promise((resolve) => { realTimeout(resolve, milliseconds) })

// --- timers

/** Let timers wait by another rule until the test ends: `wait` ms become `shorter(wait)`. */
function changeTimers(t, shorter) {
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait = 0, ...args) => real(run, shorter(wait, args), ...args))
}

/** Every timer of the client a hundred times faster, its limits too. */
const hurryTimers = (t) => changeTimers(t, (wait) => wait / 100)

/** Pauses of half a second to a minute a thousand times shorter; how long they were. */
function shortPauses(t, pauses = []) {
  changeTimers(t, (wait, [first]) => {
    const isLimit = wait === LIMIT || (first && first.errMsg)
    const isPause = wait >= 500 && wait <= 60000 && !isLimit
    if (isPause) pauses.push(wait)
    return isPause ? wait / 1000 : wait
  })
  return pauses
}

/** Whatever waits, but what a call may take, a thousand times shorter; how long it was. */
function hurry(t, waits = []) {
  changeTimers(t, (wait) => {
    if (TIMEOUTS.includes(wait)) return wait
    waits.push(Math.round(wait))
    return wait / 1000
  })
  return waits
}

/** What the client would do after its pauses of a second and more, for the test to do. */
function holdPauses(t) {
  const held = []
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait, ...args) => (
    wait >= 1000 && wait < LIMIT ? held.push(() => run(...args)) : real(run, wait, ...args)
  ))
  return held
}

// --- a simulated mini-program: it can not load one path twice in a process

function openSimulator(wx) {
  const { JSDOM } = require('jsdom')
  const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
  const names = ['document', 'Element', 'Event', 'CustomEvent', 'TouchEvent', 'MouseEvent', 'Node']
  names.forEach((name) => { global[name] = window[name] })
  Object.assign(global, { window, wx })
  return require('miniprogram-simulate')
}

/** What renders each of these pages of the example, such as `pages/post/post`. */
function loadPages(wx, endpoint, pages, business = '') {
  Object.assign(require(path.join(EXAMPLE, 'config.js')), { ENDPOINT: endpoint, BUSINESS: business })
  const simulate = openSimulator(wx)
  return pages.map((each) => {
    const id = simulate.load(pageOf(each), 'page', { rootPath: EXAMPLE })
    return () => {
      const page = simulate.render(id)
      page.attach(document.body)
      return page
    }
  })
}

const pageOf = (name) => path.join(EXAMPLE, `pages/${name}/${name}`)
const textOf = (page, selector) => page.querySelectorAll(selector).map(({ dom }) => dom.textContent)

/** The simulator hands taps on later. */
function tap(page, selector, index = 0) {
  page.querySelectorAll(selector)[index].dispatchEvent('tap')
  return new Promise((resolve) => { setImmediate(resolve) })
}

/** The <oss-uploader> of a page, as selectComponent gives it. */
const tagOf = (page, selector) => page.querySelector(selector).instance

/** Choose these files in it, from the album. */
function choices(wx, tag, tempFiles) {
  wx.showActionSheet = ({ success }) => success({ tapIndex: 1 })
  wx.chooseMedia = ({ success }) => success({ tempFiles })
  return tag.choose()
}

/** Servers, and `open(properties)` that makes a tag and hears its events. */
async function openTags(functionOptions) {
  const { oss, fc, folder, stop } = await openServers(functionOptions)
  const simulate = openSimulator(createWx())
  const id = simulate.load(path.join(PACKAGE, 'uploader/uploader'), 'oss-uploader', { rootPath: PACKAGE })
  const wx = Object.assign(global.wx, { previews: [], sheets: [], choice: 1 }) // the simulator's own, with ours in it
  Object.assign(wx, {
    showActionSheet({ itemList, success }) {
      wx.sheets.push(itemList)
      success({ tapIndex: wx.choice })
    },
    previewMedia: (options) => wx.previews.push(options),
    getAppBaseInfo: () => ({}),
  })
  const picture = (name, size = 100, more = {}) => {
    const { filePath: tempFilePath } = makeFile(folder, name, 'x'.repeat(size))
    return { tempFilePath, size, fileType: 'image', ...more }
  }
  const close = () => {
    wx.close()
    return stop()
  }
  return { oss, fc, wx, picture, open: (properties) => openTag(simulate.render(id, properties), wx), stop: close }
}

function openTag(tag, wx) {
  const heard = { change: [], progress: [], done: [], fail: [] }
  for (const name of Object.keys(heard)) tag.addEventListener(name, ({ detail }) => heard[name].push(detail))
  tag.attach(document.body)
  const items = () => tag.instance.data.items
  const choose = async (...tempFiles) => {
    wx.chooseMedia = (options) => {
      wx.chosen = options
      options.success({ tempFiles })
    }
    await tag.instance.choose()
  }
  return {
    tag, heard, items, choose,
    all: (selector) => tag.querySelectorAll(selector),
    tap: (selector, index) => tap(tag, selector, index),
    instance: tag.instance,
    texts: (selector) => textOf(tag, selector),
    states: () => items().map(({ state }) => state),
    submit: () => tag.instance.submit(),
    set: (values) => tag.setData(values),
    close: () => tag.detach(),
  }
}

// --- parts, in virtual time

const BLOCK = 4096
const PATTERN = crypto.createHash('sha512').update('a film').digest()

/** A file of any size that takes no memory: each block says where in which file it stands; `edits`: other bytes at these places. */
function fileOf(size, { seed = 1, changed = 1, edits = [] } = {}) {
  function read(position, length) {
    const before = position % BLOCK
    const bytes = Buffer.alloc(before + length, PATTERN)
    for (let at = 0; at + 8 <= bytes.length; at += BLOCK) {
      bytes.writeUInt32LE((position - before + at) / BLOCK, at)
      bytes.writeUInt32LE(seed, at + 4)
    }
    for (const edit of edits) if (edit >= position && edit < position + length) bytes[before + edit - position] ^= 1
    return bytes.subarray(before)
  }
  return { size, changed, read }
}

/** One cloud, one phone with files on it: `count` parts and a short one, unless a size is given. */
function openParts(t, { count = 7, size = count * LEAST_PART + 1000, cloud: cloudOptions, phone: phoneOptions, ...options } = {}) {
  const { createLargeUploader } = require('../example/utils/oss-direct-upload/parts')
  const time = virtualTime(t)
  const cloud = openCloud({ now: time.now, ...cloudOptions })
  const files = { [FILM]: fileOf(size) }
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
    filePath: FILM, name: 'film.mp4', size: files[FILM].size, contentType: 'video/mp4', onProgress: (event) => stage.events.push(event), ...more,
  })
  stage.upload = (more) => stage.uploader.upload(stage.film(more))
  /** What is uploaded, as OSS holds it: every byte of the file, and once. */
  stage.isStored = (value, file = FILM) => isStored(stage, value, file)
  stage.open()
  return stage
}

function isStored({ cloud, files }, value, file = FILM) {
  const { size, read } = files[file]
  assert.ok(cloud.objects.get(value.key).equals(read(0, size)), 'the object is not the file')
}

const routes = ({ cloud }) => cloud.calls.map(({ route }) => route).filter((route) => route !== '/login')
const numbers = ({ cloud }) => cloud.puts.map(({ number }) => number)
const failure = (stage, promise) => stage.time.run(failureOf(promise))

module.exports = {
  openStage, testsOn, onStage: testsOn(openStage), sending, fails, failureOf, until, pause, hurry, hurryTimers, shortPauses, holdPauses,
  openSimulator, openTags, loadPages, pageOf, tagOf, textOf, tap, choices, PACKAGE, EXAMPLE,
  openParts, fileOf, isStored, routes, numbers, failure, LEAST_PART,
}
