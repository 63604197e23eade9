'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')
const { createUploader } = require('../example/utils/oss-direct-upload')
const { alipayOf, taroOf } = require('./other_platforms')
const { openStage, failureOf, until } = require('./stage')

const uploader = createUploader({ endpoint: 'https://upload.example.com', api: {} })

test('understands wx.chooseMedia', () => {
  const chosen = { type: 'mix', tempFiles: [
    { tempFilePath: 'wxfile://tmp_1.png', size: 10, fileType: 'image', width: 1, height: 1 },
    { tempFilePath: 'wxfile://tmp_2', size: 20, fileType: 'image' },
    { tempFilePath: 'http://tmp/3.mov', size: 30, fileType: 'video', duration: 2, thumbTempFilePath: 'http://tmp/3.jpg' },
    { tempFilePath: 'wxfile://tmp_4', size: 40, fileType: 'video' },
  ] }
  assert.deepEqual(uploader.fromChosen(chosen), [
    { filePath: 'wxfile://tmp_1.png', name: undefined, size: 10, contentType: undefined, fileType: 'image' },
    { filePath: 'wxfile://tmp_2', name: undefined, size: 20, contentType: 'image/jpeg', fileType: 'image' },
    { filePath: 'http://tmp/3.mov', name: undefined, size: 30, contentType: undefined, fileType: 'video' },
    { filePath: 'wxfile://tmp_4', name: undefined, size: 40, contentType: 'video/mp4', fileType: 'video' },
  ])
})

test('understands wx.chooseMessageFile, whose files have a name', () => {
  const chosen = { tempFiles: [{ path: 'wxfile://tmp_9', name: '合同.pdf', size: 10, time: 1, type: 'file' }] }
  assert.deepEqual(uploader.fromChosen(chosen), [
    { filePath: 'wxfile://tmp_9', name: '合同.pdf', size: 10, contentType: undefined, fileType: 'file' },
  ])
})

test('understands wx.chooseImage and the lists of bare paths of older platforms', () => {
  const path = 'wxfile://tmp_1.jpg'
  assert.equal(uploader.fromChosen({ tempFilePaths: [path], tempFiles: [{ path, size: 7 }] })[0].size, 7)
  assert.equal(uploader.fromChosen({ tempFilePaths: [path] })[0].filePath, path)
  assert.equal(uploader.fromChosen({ apFilePaths: [path] })[0].filePath, path)
})

test('uploads on Alipay', async (t) => {
  const seen = []
  const stage = await openStage(t)
  const alipay = createUploader({ endpoint: stage.fc.origin, api: alipayOf({ request: stage.wx.request, uploadFile: stage.wx.uploadFile }, seen) })
  await alipay.upload(stage.file()).promise
  await alipay.upload({ filePath: stage.file('b.mp4').filePath, fileType: 'video' }).promise
  await alipay.upload({ filePath: stage.file('c').filePath }).promise
  assert.equal(stage.oss.objects.size, 3)
  assert.deepEqual(seen.map(({ fileType }) => fileType), ['image', 'video', 'image'])
})

test('reads the errors of the function on Alipay', async (t) => {
  const stage = await openStage(t)
  stage.fc.plan.sign.push({ status: 413, body: { error: { code: 'too_large', message: 'm', requestId: 'r' } } })
  const alipay = createUploader({ endpoint: stage.fc.origin, api: alipayOf({ request: stage.wx.request }) })
  const error = await failureOf(alipay.upload(stage.file()).promise)
  assert.deepEqual([error.code, error.statusCode], ['too_large', 413])
})

test('uploads, fails and aborts on Taro without an unhandled rejection', async (t) => {
  const unhandled = []
  const listener = (reason) => unhandled.push(reason)
  process.on('unhandledRejection', listener)
  t.after(() => process.off('unhandledRejection', listener))
  const stage = await openStage(t)
  const taro = createUploader({ endpoint: stage.fc.origin, api: taroOf(stage.wx), retries: 0 })
  assert.equal((await taro.upload(stage.file()).promise).statusCode, 200)
  stage.oss.plan.push({ drop: true }, { hang: true })
  assert.equal((await failureOf(taro.upload(stage.file()).promise)).code, 'network')
  const task = taro.upload(stage.file())
  const failure = failureOf(task.promise)
  await until(() => stage.oss.posts.length === 3)
  task.abort()
  assert.equal((await failure).code, 'aborted')
  await new Promise((resolve) => { setImmediate(resolve) })
  assert.deepEqual(unhandled, [])
})

test('uploads where the platform gives no task and no progress', async (t) => {
  const stage = await openStage(t)
  const { uploadFile } = stage.wx
  stage.wx.uploadFile = (options) => { uploadFile(options) }
  assert.equal((await stage.uploader.upload(stage.file()).promise).statusCode, 200)
})

test('sets no content-type on the upload, which would lose the boundary', async (t) => {
  const stage = await openStage(t)
  await stage.uploader.upload(stage.file()).promise
  const [upload] = stage.wx.platform.calls.filter(({ api }) => api === 'uploadFile')
  assert.equal(upload.options.header, undefined)
})
