'use strict'

/** The page for large videos: pause, resume, speed, and what is left of an earlier start. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const { after, afterEach, before, beforeEach, mock, test } = require('node:test')
const { openCloud, FUNCTION, LEAST_PART } = require('./parts_cloud')
const { openPhone } = require('./parts_phone')
const { fileOf, loadPages, pageOf, textOf: textsOf, until: untilShown } = require('./stage')

const SIZE = 60 * LEAST_PART
const UNFINISHED = { filePath: 'wxfile://old.mp4', name: '旧的.mp4', size: SIZE, contentType: 'video/mp4' }

const profiles = { video: { partSize: LEAST_PART, maxSize: 2 ** 40, parts: true } }
const cloud = openCloud({ now: Date.now, profiles })
const files = { 'wxfile://old.mp4': fileOf(SIZE, { seed: 1 }), 'wxfile://film.mp4': fileOf(SIZE, { seed: 2 }) }
const phone = openPhone({ handle: cloud.handle, now: Date.now, files, latency: 1, bytesPerSecond: 20 * 2 ** 20 })
let render
let page
let wx

mock.method(console, 'warn', () => {}) // for the developer

before(() => {
  phone.storage.set('unfinished-video', JSON.stringify(UNFINISHED))
  ;[render] = loadPages(phone.api, FUNCTION, ['video'])
  wx = global.wx
})
beforeEach(() => { page = render() })
afterEach(() => page.detach())
after(() => phone.kill())

const textOf = (selector) => textsOf(page, selector)
const until = (isSo) => untilShown(isSo, page)
const buttons = () => [...textOf('.button'), ...textOf('.link')]
const became = (state) => until(() => page.instance.data.state === state)

async function tap(text) {
  [...page.querySelectorAll('.button'), ...page.querySelectorAll('.link')][buttons().indexOf(text)].dispatchEvent('tap')
  await new Promise((resolve) => { setImmediate(resolve) })
}

async function choose() {
  wx.chooseMedia = ({ success }) => success({ tempFiles: [{ tempFilePath: 'wxfile://film.mp4', size: SIZE, fileType: 'video' }] })
  await tap('选一个视频')
}

const isStored = (path) => assert.ok([...cloud.objects.values()].at(-1).equals(files[path].read(0, SIZE)))

test('what an earlier start left unfinished is offered, and goes on', async () => {
  assert.match(page.dom.textContent, /旧的\.mp4.*上次没有传完/)
  assert.deepEqual(buttons(), ['接着传', '不要了'])
  await tap('接着传')
  await became('已完成')
  isStored('wxfile://old.mp4')
  assert.match(textOf('.code')[0], /^receipt/)
  assert.ok(!wx.getStorageSync('unfinished-video'))
  await tap('再传一个')
  assert.deepEqual(buttons(), ['选一个视频'])
})

test('a video is paused and goes on, with its speed and the time that is left', async () => {
  await choose()
  await until(() => page.instance.data.progress > 20)
  assert.match(textOf('.row .muted')[0], /^[\d.]+ (KB|MB) \/ 5\.9 MB，[\d.]+ (KB|MB)\/s，还要 \d+ (秒|分钟)$/)
  assert.deepEqual(buttons(), ['暂停', '不要了'])
  await tap('暂停')
  await until(() => phone.calls.every(({ settled }) => settled)) // what was on its way
  await new Promise((resolve) => { setTimeout(resolve, 60) })
  const puts = cloud.puts.length
  await new Promise((resolve) => { setTimeout(resolve, 60) })
  assert.equal(cloud.puts.length, puts)
  assert.match(textOf('.row .one-line')[0], /已暂停 \d+%$/)
  await tap('继续')
  await became('已完成')
  isStored('wxfile://film.mp4')
  await tap('再传一个')
})

test('leaving the page ends nothing: it is there again when the user comes back', async () => {
  await choose()
  await until(() => page.instance.data.progress > 10)
  page.detach()
  page = render()
  assert.equal(page.instance.data.state, '上传中')
  await became('已完成')
  isStored('wxfile://film.mp4')
  await tap('再传一个')
})

test('a video that is not wanted any more is aborted, and forgotten', async () => {
  await choose()
  await until(() => page.instance.data.progress > 10)
  await tap('不要了')
  assert.deepEqual(buttons(), ['选一个视频'])
  await until(() => cloud.calls.at(-1).route === '/multipart-abort')
  assert.ok(!wx.getStorageSync('unfinished-video'))
})

test('a failure is one sentence; going on is offered where that helps', async () => {
  phone.fault = ({ method }) => (method === 'PUT' ? { statusCode: 403, data: '<Error><Code>AccessDenied</Code></Error>' } : undefined)
  await choose()
  await became('上传失败')
  assert.deepEqual(textOf('.note-error'), ['服务出了问题，请联系客服。'])
  assert.deepEqual(buttons(), ['不要了'])
  phone.fault = () => undefined
  await tap('不要了')
})

test('a missing profile is named to the developer', async (t) => {
  t.after(() => { cloud.profiles = profiles })
  cloud.profiles = { other: profiles.video }
  await choose()
  await became('上传失败')
  assert.deepEqual(textOf('.note-error'), ['profiles.toml 缺用途 video'])
  await tap('不要了')
})

test('closing the picker is no mistake, another failure of it is told', async () => {
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail cancel' })
  await tap('选一个视频')
  assert.deepEqual(textOf('.note-error'), [])
  wx.chooseMedia = ({ fail }) => fail({ errMsg: 'chooseMedia:fail auth deny' })
  await tap('选一个视频')
  assert.deepEqual(textOf('.note-error'), ['没有得到授权，请在设置中允许。'])
})

test('every handler the page names exists', () => {
  const named = [...fs.readFileSync(`${pageOf('video')}.wxml`, 'utf8').matchAll(/bind\w+="(\w+)"/g)].map(([, name]) => name)
  const handlers = [...named, ...Object.keys(page.instance.data.steps)]
  assert.ok(handlers.length > 4)
  handlers.forEach((name) => assert.equal(typeof page.instance[name], 'function', name))
})
