'use strict'

/** `my` of Alipay and `tt` of Douyin for Node: real HTTP by the phone of wx.js, in the shapes that their pages and typings say. */

const fs = require('node:fs')
const { createWx } = require('./wx')

const FILE_TYPES = ['image', 'video', 'audio']
const MINUTE = 60000
const areStrings = (values) => Object.values(values).every((value) => typeof value === 'string')

/** Alipay: options and answers have other names, errors are numbers, a status from 400 is a failure, storage takes and gives objects. */
function createMy({ appId = '2021000000000001', domains = null, login = {} } = {}) {
  const wx = createWx({ appId, domains })
  const seen = { covered: 0, fileTypes: [], logins: 0 }
  const later = (fail, error, errorMessage) => { setImmediate(fail, { error, errorMessage }) }

  function request({ dataType = 'json', success, fail, headers = {}, ...options }) {
    if (!areStrings(headers)) return later(fail, 2, '参数错误')
    return wx.request({
      ...options,
      header: headers,
      dataType: 'text',
      success: ({ statusCode, data, header }) => {
        const answer = { status: statusCode, headers: header, data }
        if (statusCode >= 400) return fail({ error: 19, errorMessage: 'http status error', ...answer })
        if (dataType !== 'json') return success(answer)
        try {
          return success({ ...answer, data: JSON.parse(data) })
        } catch (error) {
          return fail({ error: 14, errorMessage: 'JSON parse data error' })
        }
      },
      fail: ({ errMsg }) => fail(ofRequest(errMsg)),
    })
  }

  function uploadFile({ name, fileName = name, fileType, formData = {}, header = {}, hideLoading = false, success, fail, ...options }) {
    if (name !== 'file' || fileName !== name || !areStrings(formData) || Object.keys(header).length) return later(fail, 11, '无效参数')
    if (!FILE_TYPES.includes(fileType)) return later(fail, 2, '参数错误')
    seen.covered += hideLoading ? 0 : 1
    seen.fileTypes.push(fileType)
    const task = wx.uploadFile({
      ...options,
      name,
      formData,
      success: ({ statusCode, data, header: answered }) => success({ statusCode, data, header: answered }),
      fail: ({ errMsg }) => fail(ofUpload(errMsg)),
    })
    const onProgressUpdate = (listener) => task.onProgressUpdate(({ progress, totalBytesSent, totalBytesExpectedToSend }) => (
      listener({ progress, totalBytesWritten: totalBytesSent, totalBytesExpectedToWrite: totalBytesExpectedToSend })
    ))
    return { abort: task.abort, onProgressUpdate }
  }

  function getAuthCode({ scopes, success, fail }) {
    seen.logins += 1
    if (scopes !== 'auth_base') throw new TypeError('another scope would ask the user')
    if (login.error) return later(fail, login.error, '用户取消')
    return success({ authCode: `local-of-alipay-${seen.logins}`, authSuccessScopes: ['auth_base'], authErrorScopes: {} })
  }

  const my = {
    request,
    uploadFile,
    getAuthCode,
    getAppIdSync: () => ({ appId }),
    getAccountInfoSync: undefined, // as in its IDE
    ...eventsOf(wx),
    getFileSystemManager: () => ({ readFile: ({ filePath, success }) => success({ data: bytesOf(fs.readFileSync(filePath)), dataType: 'ArrayBuffer' }) }),
    getStorageSync: (options) => ({ data: wx.getStorageSync(onlyKey(options)) || null, success: true }),
    setStorageSync: ({ key, data }) => { wx.setStorageSync(onlyKey({ key }), data) },
    removeStorageSync: (options) => { wx.removeStorageSync(onlyKey(options)) },
  }
  return { my, seen, wx, close: wx.close }
}

const eventsOf = (wx) => Object.fromEntries(Object.entries(wx).filter(([name]) => /^(on|off)[A-Z]/.test(name)))

function ofRequest(errMsg) {
  if (/abort/.test(errMsg)) return { error: 9, errorMessage: 'request:fail abort' }
  if (/domain list/.test(errMsg)) return { error: 11, errorMessage: '无权调用该接口' }
  return /timeout/.test(errMsg) ? { error: 13, errorMessage: '超时' } : { error: 12, errorMessage: '网络出错' }
}

function ofUpload(errMsg) {
  if (/abort/.test(errMsg)) return { error: 9, errorMessage: 'uploadFile:fail abort' }
  if (/domain list/.test(errMsg)) return { error: 4, errorMessage: '无权调用该接口' }
  return /file not found/.test(errMsg) ? { error: 11, errorMessage: '无效参数' } : { error: 12, errorMessage: '上传文件失败' }
}

function onlyKey(options) {
  if (typeof Object(options).key !== 'string') throw new TypeError('an object with a key is needed')
  return options.key
}

/** Douyin: guests have no code, a minute is the most it waits, a header must not name the type, and an answer may come as bytes. */
function createTt({ appId = 'tt0000000000local0', domains = null, asBytes = true, guest = false } = {}) {
  const { getAccountInfoSync, ...wx } = createWx({ appId, domains })
  const seen = { logins: 0 }
  const failing = (fail) => ({ errMsg }) => fail({ errMsg: errMsg.replace('interrupted', 'app in background') })

  function send(method, { fail, success, ...options }) {
    if (!(options.timeout <= MINUTE)) throw new TypeError('a minute is the most')
    return wx[method]({ ...options, fail: failing(fail), success })
  }

  function uploadFile({ header = {}, formData = {}, success, ...options }) {
    if (Object.keys(header).some((name) => /^content-type$/i.test(name))) throw new TypeError('content-type can not be set')
    if (options.name !== 'file' || !areStrings(formData)) throw new TypeError('a name and strings are needed')
    const answered = ({ statusCode, data, errMsg }) => success({ statusCode, errMsg, data: asBytes ? bytesOf(data) : data })
    return send('uploadFile', { ...options, formData, success: answered })
  }

  function login({ force, success }) {
    seen.logins += 1
    if (!force) throw new TypeError('guests would have no code')
    success({ code: guest ? '' : `local-of-douyin-${seen.logins}`, anonymousCode: 'of-this-phone', isLogin: !guest, errMsg: 'login:ok' })
  }

  const getEnvInfoSync = () => ({ microapp: { appId, envType: 'development', mpVersion: '' }, plugin: {}, common: {} })
  return { tt: { ...wx, login, getEnvInfoSync, uploadFile, request: (options) => send('request', options) }, seen, wx, close: wx.close }
}

function bytesOf(text) {
  const bytes = Buffer.from(text)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
}

/** Taro: what a call answers with is the task and a promise, which rejects besides calling `fail`. */
function taroOf(api) {
  const promised = (method) => (options) => {
    let task
    const promise = new Promise((resolve, reject) => {
      task = api[method]({
        ...options,
        success: (res) => { resolve(res); options.success(res) },
        fail: (res) => { reject(res); options.fail(res) },
      })
    })
    return Object.assign(promise, task)
  }
  return { ...api, request: promised('request'), uploadFile: promised('uploadFile') }
}

module.exports = { createMy, createTt, taroOf }
