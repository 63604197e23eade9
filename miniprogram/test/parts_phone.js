'use strict'

/**
 * A phone without a network below it: `api` hands each request to a function, after the time that its bytes take. The rules
 * are those seen on devices: every status is `success`, bytes go as an ArrayBuffer, files are read by ranges with callbacks
 * alone, ten requests at most, and in the background what is under way is interrupted after five seconds.
 */

const { eventsOf } = require('./wx')

const DEFAULT_TIMEOUT = 60000
const GRACE = 5000
const MOST_TASKS = 10
const MOST_STORED = 1024 * 1024
const SAMPLE = 65536 // bytes, of the five that name a file: no part

/**
 * `handle(request)` → { statusCode, data, header }. `files`: path → { size, read(position, length) → Buffer, changed }.
 * `fault(request)` → undefined, or { drop: 'before' | 'after' }, or { wait } (ms that the answer takes longer), or an answer to
 * give instead (`work: true`: after the work).
 */
function openPhone({ handle, now, files = {}, storage = new Map(), latency = 40, bytesPerSecond = 2 ** 20, fault = () => undefined, has = {} }) {
  const phone = {
    now, storage, files, fault, latency, bytesPerSecond, calls: [], inFlight: 0, mostInFlight: 0, dead: false, reads: [], sent: 0,
    alive: new Set(), mostAlive: 0, open: new Map(),
    full: false, broken: false,
  }
  const listening = eventsOf(phone, GRACE, (wait, run) => later(phone, wait, run))
  /** The app is closed: nothing is called back any more. */
  phone.kill = () => { phone.dead = true; phone.calls.forEach((call) => { call.settled = true }) }
  phone.api = apiOf(phone, handle, listening, has)
  return phone
}

function apiOf(phone, handle, listening, { stat = true, open = true, fs = true, events = true }) {
  const manager = { readFile: (options) => readFile(phone, options) }
  if (stat) manager.stat = (options) => statFile(phone, options)
  if (open) Object.assign(manager, descriptorsOf(phone))
  return {
    request: (options) => begin(phone, 'request', options, (request) => handle(request)),
    uploadFile: (options) => begin(phone, 'uploadFile', { ...options, method: 'POST' }, (request) => {
      const file = phone.files[options.filePath]
      return handle({ ...request, bytes: file.read(0, file.size) })
    }),
    login: ({ success }) => { later(phone, 5, () => success({ code: 'code' })) },
    getStorageSync: (key) => (phone.storage.has(key) ? JSON.parse(phone.storage.get(key)) : ''),
    setStorageSync: (key, value) => {
      const text = JSON.stringify(value)
      if (phone.full || text.length > MOST_STORED) throw new Error('setStorageSync:fail exceed storage max size')
      phone.storage.set(key, text)
    },
    removeStorageSync: (key) => { phone.storage.delete(key) },
    ...(fs && { getFileSystemManager: () => manager }),
    ...(events && listening),
  }
}

const later = (phone, wait, call) => setTimeout(() => phone.dead || call(), wait)

/** What is sent, as a server meets it. */
function requestOf({ url, method = 'GET', header = {}, data, formData }) {
  const lower = Object.keys(header).map((name) => name.toLowerCase())
  if (lower.includes('content-length')) throw new Error('the platform sets Content-Length itself')
  if (method === 'PATCH') throw new Error('no PATCH on a phone')
  return { url, method, header: lower.includes('content-type') ? header : { ...header, 'content-type': 'application/json' }, data, formData }
}

function begin(phone, name, wanted, work) {
  let options = wanted
  const call = { name, options: { url: options.url, method: options.method }, settled: false }
  phone.calls.push(call)
  phone.inFlight += 1
  phone.mostInFlight = Math.max(phone.mostInFlight, phone.inFlight)
  call.settle = (kind, result) => {
    if (call.settled) return
    call.settled = true
    clearTimeout(call.limit)
    phone.inFlight -= 1
    phone.alive.delete(options.data)
    const tell = options[kind]
    options = null // and its bytes
    Promise.resolve().then(() => phone.dead || (tell && tell(result)))
  }
  call.fail = (reason) => call.settle('fail', { errMsg: `${name}:fail ${reason}` })
  call.limit = setTimeout(() => call.fail('timeout'), options.timeout || DEFAULT_TIMEOUT)
  // A call that was aborted at once has no options any more.
  later(phone, 0, () => call.settled || travel(phone, call, { ...requestOf(options), began: phone.now() }, work))
  return { abort: () => call.fail('abort') }
}

function travel(phone, call, request, work) {
  if (call.settled) return
  if (phone.hidden) { call.fail('interrupted'); return }
  if (phone.offline) { call.fail('fail:net::ERR_INTERNET_DISCONNECTED'); return }
  if (phone.inFlight > MOST_TASKS) { call.fail('task limit exceeded errno 600007'); return }
  const size = request.data ? request.data.byteLength || request.data.length : 0
  const fault = phone.fault(request) || {}
  const way = phone.latency + 1000 * size / phone.bytesPerSecond
  later(phone, fault.drop === 'before' ? way / 2 : way, () => {
    if (call.settled) return
    phone.sent += fault.drop === 'before' ? size / 2 : size
    if (fault.drop === 'before') { call.fail('fail:-101:net::ERR_CONNECTION_RESET'); return }
    const answer = !fault.statusCode || fault.work ? work(request) : null
    later(phone, phone.latency + (fault.wait || 0), () => {
      if (fault.drop) call.fail('fail:-101:net::ERR_CONNECTION_RESET')
      else call.settle('success', { errMsg: 'ok', ...(fault.statusCode ? fault : answer) })
    })
  })
}

const refuse = ({ fail }, name, reason) => Promise.resolve().then(() => fail({ errMsg: `${name}:fail ${reason}` }))

function statFile(phone, options) {
  const file = phone.files[options.path]
  if (!file) { refuse(options, 'stat', 'no such file or directory'); return }
  later(phone, 1, () => options.success({ stats: { size: file.size, lastModifiedTime: file.changed || 1 } }))
}

/** As Android reads: past the end there are zeros. */
function bytesOf(phone, file, position, length) {
  const bytes = new Uint8Array(length)
  bytes.set(file.read(position, Math.max(Math.min(length, file.size - position), 0)))
  if (length !== SAMPLE) phone.alive.add(bytes.buffer)
  phone.mostAlive = Math.max(phone.mostAlive, phone.alive.size)
  return bytes.buffer
}

function readFile(phone, options) {
  const { filePath, position, length, success } = options
  const file = phone.files[filePath]
  if (length !== SAMPLE) phone.reads.push({ how: 'readFile', position, length })
  if (!file || phone.broken) { refuse(options, 'readFile', 'no such file or directory'); return }
  if (file.size > 100 * 2 ** 20 && phone.readsUpTo100) { refuse(options, 'readFile', 'file size over 100MB errno 1300202'); return }
  later(phone, 2, () => success({ data: bytesOf(phone, file, position, phone.short || length) }))
}

function descriptorsOf(phone) {
  return {
    open(options) {
      const { filePath, flag, success } = options
      if (!phone.files[filePath] || flag !== 'r') { refuse(options, 'open', 'no such file'); return }
      const fd = String(phone.reads.length + 1000 * phone.open.size)
      phone.open.set(fd, filePath)
      later(phone, 1, () => success({ fd }))
    },
    read(options) {
      const { fd, arrayBuffer, offset, length, position, success } = options
      const file = phone.files[phone.open.get(fd)]
      if (length !== SAMPLE) phone.reads.push({ how: 'read', position, length })
      if (!file || offset !== 0) { refuse(options, 'read', 'bad fd'); return }
      const bytes = file.read(position, Math.min(length, file.size - position))
      new Uint8Array(arrayBuffer).set(bytes)
      later(phone, 2, () => success({ bytesRead: phone.short || bytes.length, arrayBuffer }))
    },
    close({ fd, success }) { phone.open.delete(fd); later(phone, 0, () => success({})) },
  }
}

const settle = () => new Promise((resolve) => { setImmediate(resolve) })

/**
 * Hours in milliseconds, from now to the end of the test: every timer of the process waits on a clock that the test moves. `run(promise)` moves the clock from timer to timer until the promise is settled;
 * `pass(ms)` moves it by so much; `now()` is in milliseconds, as Date.now.
 */
function virtualTime(t, start = Date.parse('2026-11-25T08:00:00Z')) {
  let time = start
  let lastId = 0
  const timers = new Map()
  // Not by t.mock, which would keep every timer that there was, and its buffers.
  const real = { setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout }
  t.after(() => Object.assign(globalThis, real))
  Object.assign(globalThis, {
    setTimeout(run, wait = 0, ...values) {
      lastId += 1
      timers.set(lastId, { at: time + Math.max(Number(wait) || 0, 0), run: () => run(...values) })
      return lastId
    },
    clearTimeout(id) { timers.delete(id) },
  })

  function earliest() {
    let found = null
    for (const [id, { at }] of timers) if (!found || at < found.at) found = { id, at }
    return found
  }

  async function step(end) {
    await settle()
    const next = earliest()
    if (!next || next.at > end) return false
    const { run } = timers.get(next.id)
    timers.delete(next.id)
    time = Math.max(time, next.at)
    run()
    return true
  }

  async function pass(milliseconds) {
    const end = time + milliseconds
    while (await step(end));
    time = end
  }

  async function run(promise, most = 7 * 86400000) {
    let settled = false
    const done = () => { settled = true }
    promise.then(done, done)
    const end = time + most
    for (await settle(); !settled; await settle()) {
      if (!await step(end)) throw new Error(timers.size ? 'not settled in time' : 'nothing is left that could settle it')
    }
    return promise
  }

  return { now: () => time, run, pass, waiting: () => timers.size }
}

module.exports = { openPhone, virtualTime }
