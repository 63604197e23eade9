'use strict'

/** The tag <oss-uploader> on a simulated page: real HTTP below, jsdom above. */

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { JSDOM } = require('jsdom')
const { startFunction, startOss } = require('./servers')
const { createWx } = require('./wx')

const PACKAGE = path.join(__dirname, '../example/utils/oss-direct-upload')
const TAG = path.join(PACKAGE, 'uploader/uploader')
const TIMEOUTS = [20000, 60000, 120000]

/** Load the tag once a process: the simulator can not load one path twice. `open()` makes a tag and hears its events. */
function loadTag(phone) {
  const { window } = new JSDOM('<!doctype html><body></body>', { pretendToBeVisual: true })
  const names = ['document', 'Element', 'Event', 'CustomEvent', 'TouchEvent', 'MouseEvent', 'Node']
  names.forEach((name) => { global[name] = window[name] })
  Object.assign(global, { window, wx: phone })
  const simulate = require('miniprogram-simulate')
  const id = simulate.load(TAG, 'oss-uploader', { rootPath: PACKAGE })
  const wx = Object.assign(global.wx, { previews: [], sheets: [], choice: 1 }) // the simulator's own, with ours in it
  Object.assign(wx, {
    showActionSheet({ itemList, success }) {
      wx.sheets.push(itemList)
      success({ tapIndex: wx.choice })
    },
    previewMedia: (options) => wx.previews.push(options),
    getAppBaseInfo: () => ({}),
  })
  const open = (properties) => openTag(simulate.render(id, properties), wx)
  return { wx, open }
}

function openTag(tag, wx) {
  const heard = { change: [], progress: [], done: [], fail: [] }
  for (const name of Object.keys(heard)) tag.addEventListener(name, ({ detail }) => heard[name].push(detail))
  tag.attach(document.body)
  const all = (selector) => tag.querySelectorAll(selector)
  const items = () => tag.instance.data.items
  const tap = async (selector, index = 0) => {
    all(selector)[index].dispatchEvent('tap')
    await new Promise((resolve) => { setImmediate(resolve) }) // the simulator hands taps on later
  }
  const choose = async (...tempFiles) => {
    wx.chooseMedia = (options) => {
      wx.chosen = options
      options.success({ tempFiles })
    }
    await tag.instance.choose()
  }
  return {
    tag, heard, all, items, tap, choose,
    instance: tag.instance,
    texts: (selector) => all(selector).map(({ dom }) => dom.textContent),
    states: () => items().map(({ state }) => state),
    submit: () => tag.instance.submit(),
    set: (values) => tag.setData(values),
    close: () => tag.detach(),
  }
}

async function openWorld(options) {
  const oss = await startOss()
  const fc = await startFunction(oss, options)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tag-'))
  const { wx, open } = loadTag(createWx())
  const picture = (name, size = 100, more = {}) => {
    const tempFilePath = path.join(folder, name)
    fs.writeFileSync(tempFilePath, 'x'.repeat(size))
    return { tempFilePath, size, fileType: 'image', ...more }
  }
  const stop = async () => {
    wx.close()
    await Promise.all([fc.stop(), oss.stop()])
    fs.rmSync(folder, { recursive: true })
  }
  return { oss, fc, wx, open, picture, stop }
}

async function until(isSo) {
  for (const end = Date.now() + 8000; !isSo();) {
    if (Date.now() > end) throw new Error(`not in time: ${isSo}`)
    await new Promise((resolve) => { setImmediate(resolve) })
  }
}

/** Let what waits wait a thousand times shorter; `waits` has how long it wanted to. What a call may take stays. */
function hurry(t, waits = []) {
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait = 0, ...args) => {
    if (TIMEOUTS.includes(wait)) return real(run, wait, ...args)
    waits.push(Math.round(wait))
    return real(run, wait / 1000, ...args)
  })
  return waits
}

module.exports = { hurry, loadTag, openWorld, until, PACKAGE, TAG }
