'use strict'

const { createCodec } = require('./codec')

/**
 * The part of `wx` that the client uses, for H5 pages: `createUploader({ api: createBrowserApi(), ... })`.
 *
 * `filePath` is a File or Blob here. `login`, when given, answers with a login code. The session lasts as
 * long as the page, for a browser tells no users apart; with `storage: sessionStorage` it lasts longer,
 * and the uploader has to be told the `user`.
 */
function createBrowserApi({ login, storage } = /** @type {any} */ ({})) {
  return {
    request,
    uploadFile,
    ...createCodec(),
    getFileSystemManager: () => ({ getFileInfo }),
    onNetworkStatusChange,
    offNetworkStatusChange,
    ...(login && { login: (options) => answerLogin(login, options) }),
    ...(storage && {
      getStorageSync: (key) => JSON.parse(storage.getItem(key) || 'null'),
      setStorageSync: (key, data) => storage.setItem(key, JSON.stringify(data)),
      removeStorageSync: (key) => storage.removeItem(key),
    }),
  }
}

const MOST_DIGESTED = 100 * 1024 * 1024 // as on WeChat
const heard = new WeakMap() // the client's listener → the one that the window knows

function onNetworkStatusChange(listener) {
  heard.set(listener, () => listener({ isConnected: navigator.onLine }))
  for (const name of ['online', 'offline']) window.addEventListener(name, heard.get(listener))
}

function offNetworkStatusChange(listener) {
  for (const name of ['online', 'offline']) window.removeEventListener(name, heard.get(listener))
}

function answerLogin(login, { success, fail }) {
  Promise.resolve().then(login)
    .then((code) => success({ code }), (error) => fail({ errMsg: `login:fail ${error.message}` }))
}

function request({ url, method, header, data, timeout, success, fail }) {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), timeout)
  fetch(url, { method, headers: header, body: data, signal: controller.signal })
    .then(async (response) => {
      const text = await response.text()
      success({ statusCode: response.status, data: text, header: Object.fromEntries(response.headers) })
    })
    .catch(({ name, message }) => fail({ errMsg: `request:fail ${name === 'AbortError' ? 'timeout' : message}`, opaque: method === 'POST' }))
    .then(() => clearTimeout(timer))
  return { abort: () => controller.abort() }
}

function uploadFile({ url, filePath, name, formData, timeout, success, fail }) {
  const body = new FormData()
  for (const [field, value] of Object.entries(formData)) body.append(field, value)
  body.append(name, filePath) // last: OSS ignores what comes after the file
  const sending = new XMLHttpRequest()
  let listener = (event) => event
  sending.upload.onprogress = ({ loaded, total }) => listener({
    progress: Math.floor(100 * loaded / total), totalBytesSent: loaded, totalBytesExpectedToSend: total,
  })
  sending.onload = () => success({ statusCode: sending.status, data: sending.responseText })
  sending.onerror = () => fail({ errMsg: 'uploadFile:fail network error (or CORS is not allowed for this page)' })
  sending.ontimeout = () => fail({ errMsg: 'uploadFile:fail timeout' })
  sending.onabort = () => fail({ errMsg: 'uploadFile:fail abort' })
  sending.open('POST', url)
  sending.timeout = timeout
  sending.send(body)
  return { abort: () => sending.abort(), onProgressUpdate: (wanted) => { listener = wanted } }
}

function getFileInfo({ filePath, digestAlgorithm, success, fail }) {
  digestOf(filePath, digestAlgorithm)
    .then((digest) => success({ size: filePath.size, digest }))
    .catch(({ message }) => fail({ errMsg: `getFileInfo:fail ${message}` }))
}

/** In hex. The whole file goes through memory, and only a page served by https (or localhost) has `crypto.subtle`. */
async function digestOf(file, algorithm) {
  if (algorithm !== 'sha256' || file.size > MOST_DIGESTED) throw new Error('no such digest of such a file')
  const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer())
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The files of an <input type="file"> or of a drop, as files to upload. */
function filesFrom(list) {
  return Array.from(list, (file) => (
    { filePath: file, name: file.name, size: file.size, contentType: file.type || undefined }
  ))
}

module.exports = { createBrowserApi, filesFrom }
