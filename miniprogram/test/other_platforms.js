'use strict'

/** `my` of Alipay and `tt` of Douyin for Node: real HTTP by the phone of wx.js, in the shapes that their pages and typings say. */

const { createWx } = require('./wx')

const FILE_TYPES = ['image', 'video', 'audio']

/** Alipay: options and answers have other names, a status from 400 is a failure, storage takes and gives objects. */
function createMy() {
  const wx = createWx()
  const seen = { covered: 0, fileTypes: [] }

  function request({ dataType = 'json', success, fail, ...options }) {
    return wx.request({
      ...options,
      header: options.headers,
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
      fail: ({ errMsg }) => fail({ error: 12, errorMessage: errMsg }),
    })
  }

  function uploadFile({ name, fileType, hideLoading = false, success, fail, ...options }) {
    if (!name || !FILE_TYPES.includes(fileType)) {
      setImmediate(fail, { error: 2, errorMessage: '参数错误' })
      return undefined
    }
    seen.covered += hideLoading ? 0 : 1
    seen.fileTypes.push(fileType)
    return wx.uploadFile({
      ...options,
      name,
      success: ({ statusCode, data, header }) => success({ statusCode, data, header }),
      fail: ({ errMsg }) => fail({ error: /abort/.test(errMsg) ? 9 : 12, errorMessage: errMsg }),
    })
  }

  const my = {
    request,
    uploadFile,
    getStorageSync: (options) => ({ data: wx.getStorageSync(onlyKey(options)) || null, success: true }),
    setStorageSync: ({ key, data }) => { wx.setStorageSync(onlyKey({ key }), data) },
    removeStorageSync: (options) => { wx.removeStorageSync(onlyKey(options)) },
  }
  return { my, seen, wx, close: wx.close }
}

function onlyKey(options) {
  if (typeof Object(options).key !== 'string') throw new TypeError('an object with a key is needed')
  return options.key
}

/** Douyin: a login of its own, a header that must not name the type, and an answer that may come as bytes. */
function createTt({ asBytes = true } = {}) {
  const wx = createWx()
  const seen = { logins: 0 }

  function uploadFile({ header = {}, success, ...options }) {
    if (Object.keys(header).some((name) => /^content-type$/i.test(name))) throw new TypeError('content-type can not be set')
    return wx.uploadFile({
      ...options,
      success: ({ statusCode, data, errMsg }) => success({ statusCode, errMsg, data: asBytes ? bytesOf(data) : data }),
    })
  }

  function login({ success }) {
    seen.logins += 1
    success({ code: `of-douyin-${seen.logins}`, anonymousCode: '', isLogin: true, errMsg: 'login:ok' })
  }

  return { tt: { ...wx, login, uploadFile }, seen, wx, close: wx.close }
}

function bytesOf(text) {
  const bytes = Buffer.from(text)
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)
}

/** Alipay without the adapter, as far as a client meets it: `status` and `headers`, an answer above 399 comes to `fail`; `seen` hears of files. */
function alipayOf(api, seen = []) {
  const translate = (res) => ({ status: res.statusCode, headers: res.header, data: res.data })
  const request = ({ header, ...options }) => api.request({
    ...options,
    header: options.headers,
    success: (res) => (res.statusCode < 400 ? options.success : options.fail)({ error: 19, ...translate(res) }),
  })
  const uploadFile = ({ fileName, fileType, ...options }) => {
    seen.push({ fileName, fileType })
    return api.uploadFile({ ...options, name: fileName, success: (res) => options.success(translate(res)) })
  }
  return { ...api, request, uploadFile }
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

module.exports = { alipayOf, createMy, createTt, taroOf }
