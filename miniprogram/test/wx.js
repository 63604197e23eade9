'use strict'

/**
 * A `wx` for Node that really speaks HTTP, by the rules seen on devices: every status is `success`, data
 * is text, form fields go before the file, ten requests at most are in flight, the rest wait, the domain
 * lists are checked, and the Referer is the platform's own. In the background what is under way is
 * interrupted after a while, and what is begun there at once.
 */

const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')

const MOST_IN_FLIGHT = 10
const DEFAULT_TIMEOUT = 60000
const CHUNK = 64 * 1024
const GRACE = 20 // ms in the background until what is under way is interrupted; five seconds on a phone
const OFFLINE = 'fail:-106:net::ERR_INTERNET_DISCONNECTED'
const TYPES = { '.jpg': 'image/jpeg', '.png': 'image/png', '.mp4': 'video/mp4', '.pdf': 'application/pdf' }

/**
 * @param {object} options
 *   domains: { request, uploadFile } lists of origins; null is the switch "do not check" of DevTools
 *   headerName: how the network stack writes the names of an answer's headers
 */
function createWx({ domains = null, appId = 'wx0000000000local0', headerName = sameName, login } = {}) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: MOST_IN_FLIGHT })
  const platform = { agent, appId, domains, headerName, waiting: [], inFlight: 0, mostInFlight: 0, calls: [] }
  const storage = new Map()
  const files = createFileSystemManager()
  return {
    platform,
    storage,
    ...eventsOf(platform),
    close: () => agent.destroy(),
    request: (options) => start(platform, 'request', options, sendRequest),
    uploadFile: (options) => start(platform, 'uploadFile', options, sendFile),
    login: login || (({ success }) => {
      setTimeout(() => success({ code: `local-${crypto.randomUUID()}`, errMsg: 'login:ok' }))
    }),
    getStorageSync: (key) => (storage.has(key) ? JSON.parse(storage.get(key)) : ''),
    setStorageSync: (key, data) => { storage.set(key, JSON.stringify(data)) },
    removeStorageSync: (key) => { storage.delete(key) },
    getFileSystemManager: () => files,
    getAccountInfoSync: () => ({ miniProgram: { appId, envVersion: 'develop', version: '' } }),
  }
}

const sameName = (name) => name

const laterInReal = (wait, run) => setTimeout(run, wait).unref()

/** What happens to a phone: `hide()`, `show()`, `disconnect()`, `connect()` of its platform; the answer is what its api listens by. */
function eventsOf(platform, usual = GRACE, later = laterInReal) {
  const listeners = { AppHide: new Set(), AppShow: new Set(), NetworkStatusChange: new Set() }
  const tell = (name, event) => [...listeners[name]].forEach((listener) => listener(event))
  const failAll = (reason) => platform.calls.filter(({ settled }) => !settled).forEach((call) => call.fail(reason))
  Object.assign(platform, {
    listeners,
    hide(grace = usual) {
      platform.hidden = true
      tell('AppHide', {})
      later(grace, () => platform.hidden && failAll('interrupted'))
    },
    show() {
      platform.hidden = false
      tell('AppShow', {})
    },
    disconnect() {
      platform.offline = true
      tell('NetworkStatusChange', { isConnected: false, networkType: 'none' })
      failAll(OFFLINE)
    },
    connect() {
      platform.offline = false
      tell('NetworkStatusChange', { isConnected: true, networkType: 'wifi' })
    },
  })
  return Object.fromEntries(Object.keys(listeners).flatMap((name) => [
    [`on${name}`, (listener) => { listeners[name].add(listener) }],
    [`off${name}`, (listener) => { listeners[name].delete(listener) }],
  ]))
}

function start(platform, api, options, send) {
  const call = { api, options, settled: false, listeners: { progress: [], headers: [] } }
  platform.calls.push(call)
  call.finish = (kind, result) => {
    if (call.settled) return
    call.settled = true
    clearTimeout(call.timer)
    if (call.running) { platform.inFlight -= 1; call.running = false }
    startWaiting(platform)
    if (options[kind]) options[kind](result)
    if (options.complete) options.complete(result)
  }
  call.fail = (reason) => {
    call.finish('fail', { errMsg: `${api}:fail ${reason}` })
    if (call.http) call.http.destroy()
  }
  call.send = () => send(platform, call)
  queueMicrotask(() => admit(platform, call))
  return taskOf(call)
}

function taskOf(call) {
  const listen = (name) => (listener) => { call.listeners[name].push(listener) }
  const unlisten = (name) => (listener) => {
    call.listeners[name] = call.listeners[name].filter((each) => listener && each !== listener)
  }
  return {
    abort: () => call.fail('abort'),
    onProgressUpdate: listen('progress'),
    offProgressUpdate: unlisten('progress'),
    onHeadersReceived: listen('headers'),
    offHeadersReceived: unlisten('headers'),
  }
}

function admit(platform, call) {
  const { url, filePath } = call.options
  const origin = new URL(url).origin
  if (platform.hidden) return call.fail('interrupted')
  if (platform.offline) return call.fail(OFFLINE)
  if (platform.domains && !platform.domains[call.api].includes(origin)) return call.fail('url not in domain list')
  if (call.api === 'uploadFile' && !fs.existsSync(filePath)) return call.fail('file not found')
  platform.waiting.push(call)
  return startWaiting(platform)
}

function startWaiting(platform) {
  while (platform.inFlight < MOST_IN_FLIGHT && platform.waiting.length) {
    const call = platform.waiting.shift()
    if (call.settled) continue
    call.running = true
    platform.inFlight += 1
    platform.mostInFlight = Math.max(platform.mostInFlight, platform.inFlight)
    call.timer = setTimeout(() => call.fail('timeout'), call.options.timeout || DEFAULT_TIMEOUT)
    call.send()
  }
}

function open(platform, call, method, headers) {
  const referer = `https://servicewechat.com/${platform.appId}/0/page-frame.html`
  call.http = http.request(call.options.url, { method, agent: platform.agent, headers: { ...headers, referer } })
  call.http.on('error', (error) => call.fail(`fail:-101:net::ERR_CONNECTION_RESET ${error.code}`))
  call.http.on('response', (response) => {
    call.listeners.headers.forEach((listener) => listener({ header: response.headers }))
    const chunks = []
    response.on('data', (chunk) => chunks.push(chunk))
    response.on('error', () => call.fail('interrupted'))
    response.on('end', () => answer(platform, call, response, Buffer.concat(chunks).toString('utf8')))
  })
  return call.http
}

function answer(platform, call, response, text) {
  if (!response.complete) return call.fail('interrupted')
  const result = { statusCode: response.statusCode, errMsg: `${call.api}:ok`, data: text }
  if (call.api === 'request') {
    const header = Object.fromEntries(Object.entries(response.headers).map(([name, value]) => [platform.headerName(name), value]))
    Object.assign(result, { data: parsed(call.options, text), header })
  }
  return call.finish('success', result)
}

function parsed({ dataType = 'json' }, text) {
  try {
    return dataType === 'json' ? JSON.parse(text) : text
  } catch (error) {
    return text
  }
}

function sendRequest(platform, call) {
  const { method = 'GET', header = {}, data = '' } = call.options
  const body = data instanceof ArrayBuffer ? Buffer.from(data) : typeof data === 'string' ? data : JSON.stringify(data)
  const headers = { 'content-type': 'application/json', ...header, 'content-length': Buffer.byteLength(body) }
  open(platform, call, method, headers).end(body)
}

function sendFile(platform, call) {
  const { formData = {}, filePath, name } = call.options
  const file = fs.readFileSync(filePath)
  const boundary = `----wx${Date.now()}${Math.random().toString(36).slice(2)}`
  const parts = Object.entries(formData).map(([field, value]) => (
    `--${boundary}\r\nContent-Disposition: form-data; name="${field}"\r\n\r\n${value}\r\n`
  ))
  const type = TYPES[path.extname(filePath)] // some phones send application/octet-stream
  const head = `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${path.basename(filePath)}"\r\n`
    + `Content-Type: ${type || 'application/octet-stream'}\r\n\r\n`
  const body = Buffer.concat([Buffer.from(parts.join('') + head), file, Buffer.from(`\r\n--${boundary}--\r\n`)])
  const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': body.length }
  writeInChunks(call, open(platform, call, 'POST', headers), body, 0)
}

function writeInChunks(call, request, body, sent) {
  if (call.settled) return
  if (sent >= body.length) { request.end(); return }
  const next = Math.min(sent + CHUNK, body.length)
  request.write(body.subarray(sent, next), () => {
    const progress = Math.floor(100 * next / body.length)
    const event = { progress, totalBytesSent: next, totalBytesExpectedToSend: body.length }
    if (!call.settled) call.listeners.progress.forEach((listener) => listener(event))
    writeInChunks(call, request, body, next)
  })
}

/** The FileSystemManager over real files: callbacks alone, ranges, and zeros past the end as on Android. */
function createFileSystemManager() {
  const descriptors = new Map()
  const told = (name, { success, fail }, work) => {
    setImmediate(() => {
      let result
      try {
        result = work()
      } catch (error) {
        fail({ errMsg: `${name}:fail no such file or directory ${error.code}` })
        return
      }
      success({ errMsg: `${name}:ok`, ...result })
    })
  }

  function range(fd, position, length) {
    const bytes = new Uint8Array(length)
    const bytesRead = fs.readSync(fd, bytes, 0, length, position)
    return { bytes, bytesRead }
  }

  function readRange({ filePath, position = 0, length }) {
    const fd = fs.openSync(filePath, 'r')
    try {
      return { data: range(fd, position, length === undefined ? fs.fstatSync(fd).size - position : length).bytes.buffer }
    } finally {
      fs.closeSync(fd)
    }
  }

  function readOpened({ fd, arrayBuffer, offset = 0, length = 0, position }) {
    const { bytes, bytesRead } = range(descriptors.get(fd), position, length)
    new Uint8Array(arrayBuffer).set(bytes, offset)
    return { bytesRead, arrayBuffer }
  }

  function open({ filePath, flag = 'r' }) {
    const descriptor = fs.openSync(filePath, flag)
    descriptors.set(String(descriptor), descriptor)
    return { fd: String(descriptor) }
  }

  function close({ fd }) {
    fs.closeSync(descriptors.get(fd))
    descriptors.delete(fd)
  }

  function stat({ path }) {
    const { size, mtimeMs } = fs.statSync(path)
    return { stats: { size, lastModifiedTime: Math.floor(mtimeMs / 1000) } }
  }

  return {
    descriptors,
    stat: (options) => told('stat', options, () => stat(options)),
    readFile: (options) => told('readFile', options, () => readRange(options)),
    open: (options) => told('open', options, () => open(options)),
    read: (options) => told('read', options, () => readOpened(options)),
    close: (options) => told('close', options, () => close(options)),
  }
}

module.exports = { createWx, eventsOf }
