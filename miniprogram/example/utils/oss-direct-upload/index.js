'use strict'

const { OssUploadError, platformError, functionError, ossError } = require('./errors')

const MOST_IN_FLIGHT = 10 // the platforms' limit
const REQUEST_TIMEOUT = 20000
const GRACE = 2000 // when a platform misses its timeout
const EXPIRY_MARGIN = 5000
const TOKEN_MARGIN = 60000
const LONGEST_RETRY_AFTER = 60

function createUploader(options) {
  const settings = /** @type {any} */ (readOptions(options))
  const sign = createSigner(settings)
  const queue = []
  const running = new Set()

  function start() {
    while (queue.length && running.size < settings.concurrency) {
      const job = queue.shift()
      running.add(job)
      deliver(job, sign, settings).then(job.resolve, job.reject)
    }
  }

  function upload(file) {
    const job = { file: { profile: settings.profile, ...file }, aborted: false, progress: 0 }
    const promise = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }))
    const leave = () => { running.delete(job); start() }
    promise.then(leave, leave)
    const problem = file.filePath ? file.size === 0 && 'empty_file' : 'bad_file'
    if (problem) job.reject(new OssUploadError(problem, 'sign'))
    else queue.push(job)
    start()
    return { promise, abort: () => abort(job, queue) }
  }

  function uploadAll(files, listen) {
    const parts = files.map(({ size = 0 }) => ({ loaded: 0, total: size, finished: 0 }))
    const change = (part, values) => { Object.assign(part, values); notify(listen && listen.onProgress, overall(parts)) }
    return Promise.all(parts.map((part, index) => {
      const file = files[index]
      const report = (event) => { notify(file.onProgress, event); change(part, event) }
      return upload({ ...file, onProgress: report }).promise
        .then((value) => ({ status: 'fulfilled', value }), (reason) => ({ status: 'rejected', reason }))
        .then((result) => { change(part, { loaded: part.total, finished: 1 }); return result })
    }))
  }

  return { upload, uploadAll, fromChosen }
}

function readOptions({ endpoint, api, concurrency = 3, ...others }) {
  if (!endpoint || !api) throw new TypeError('createUploader needs endpoint and api')
  const inFlight = Math.min(Math.max(concurrency, 1) || 1, MOST_IN_FLIGHT)
  const defaults = { timeout: 120000, retries: 2, backoff: 500, now: Date.now }
  return { ...defaults, ...others, api, endpoint: endpoint.replace(/\/+$/, ''), concurrency: inFlight }
}

function abort(job, queue) {
  job.aborted = true
  job.reject(new OssUploadError('aborted', 'upload'))
  if (queue.includes(job)) queue.splice(queue.indexOf(job), 1)
  if (job.request && job.request.abort) job.request.abort()
}

// A new form is a new key: only while OSS surely stored nothing under the last one,
// else a lost answer would leave two objects.
async function deliver(job, sign, settings) {
  let form = await sign(job)
  let failures = 0
  let renewed = false
  let mayBeStored = false
  for (;;) {
    try {
      return await post(job, form, settings)
    } catch (error) {
      // Network stacks resend, too; a key with {id} is nobody else's.
      const ours = failures || form.unique
      if (error.code === 'file_exists' && ours) return uploaded(form, error.statusCode, '')
      Object.assign(error, form.object)
      const expired = error.code === 'form_expired'
      if (!expired || mayBeStored || renewed) {
        if (!error.retryable || failures >= settings.retries) throw error
        mayBeStored = mayBeStored || !(expired || error.statusCode === 503)
        await pause(failures, error, settings)
        failures += 1
        if (settings.now() < form.deadline) continue
        if (mayBeStored) throw new OssUploadError('unknown_outcome', 'upload', form.object)
        if (renewed) throw error
      }
      form = await sign(job)
      renewed = true
      failures = 0
    }
  }
}

async function post(job, form, { api, timeout }) {
  if (job.aborted) throw new OssUploadError('aborted', 'upload')
  const { filePath, contentType = 'image', fileType = contentType.split('/')[0] } = job.file
  const options = { ...form.target, filePath, name: 'file', fileName: 'file', fileType } // last two: Alipay
  const { statusCode, data } = await invoke(api, 'uploadFile', options, 'upload', timeout, (request) => {
    job.request = request
    if (request.onProgressUpdate) request.onProgressUpdate((event) => advance(job, event))
  })
  if (![200, 201, 204].includes(statusCode)) throw ossError(statusCode, data)
  advance(job, { progress: 100 })
  return uploaded(form, statusCode, data)
}

function advance(job, { progress, totalBytesExpectedToSend = 0 }) {
  if (job.aborted) return
  job.progress = Math.max(job.progress, progress) // never back
  job.total = job.file.size || totalBytesExpectedToSend || job.total || 0
  const loaded = Math.floor(job.total * job.progress / 100)
  notify(job.file.onProgress, { progress: job.progress, loaded, total: job.total })
}

function overall(parts) {
  const sum = (name) => parts.reduce((all, part) => all + part[name], 0)
  const loaded = sum('loaded')
  const total = sum('total')
  const progress = total ? Math.floor(100 * loaded / total) : 0
  return { progress, loaded, total, finished: sum('finished'), count: parts.length }
}

function notify(listener, event) {
  try {
    if (listener) listener(event)
  } catch (error) {
    console.error(error) // the page's own mistake
  }
}

function uploaded(form, statusCode, text) {
  const data = parseJson(text)
  return { ...form.object, statusCode, data, receipt: (data && data.receipt) || null }
}

// Jobs that start together share one request.
function createSigner(settings) {
  const getToken = settings.getToken ? askPage : createLogin(settings)
  const waiting = []

  async function answer(asked) {
    try {
      const forms = await requestForms(asked.map(({ job }) => fieldsOf(job.file)))
      asked.forEach(({ resolve }, index) => resolve(forms[index]))
    } catch (error) {
      const oneIsBad = asked.length > 1 && [400, 413, 415].includes(error.statusCode)
      asked.forEach((each) => (oneIsBad ? answer([each]) : each.reject(error)))
    }
  }

  function flush() {
    const asked = waiting.splice(0).filter(({ job }) => !job.aborted)
    if (asked.length) answer(asked)
  }

  async function requestForms(files, failures = 0) {
    try {
      return await requestOnce(files)
    } catch (error) {
      const tooLate = failures >= settings.retries || error.retryAfter > LONGEST_RETRY_AFTER
      if (!error.retryable || tooLate) throw error
      await pause(failures, error, settings)
      return requestForms(files, failures + 1)
    }
  }

  async function requestOnce(files) {
    const data = files.length > 1 ? { files } : files[0]
    const token = await getToken()
    const sentAt = settings.now()
    const send = (bearer) => request(settings, '/upload-params', 'sign', data, bearer)
    const reply = await send(token).catch(async (error) => {
      if (error.statusCode !== 401) throw error
      return send(await getToken(token))
    })
    return readForms(reply, files, sentAt)
  }

  async function askPage(rejected) {
    try {
      return await settings.getToken({ refresh: rejected !== undefined })
    } catch (error) {
      throw new OssUploadError('login_failed', 'login', { detail: error.message })
    }
  }

  return (job) => new Promise((resolve, reject) => {
    waiting.push({ job, resolve, reject })
    if (waiting.length === 1) Promise.resolve().then(flush)
  })
}

function fieldsOf({ profile, name, filePath, contentType, size }) {
  return { profile, filename: name || String(filePath).split('/').pop(), contentType, size }
}

function readForms(answer, files, sentAt) {
  const forms = files.length > 1 ? answer.uploads : [answer]
  const usable = (_, index) => forms && forms[index] && forms[index].formData
  if (!files.every(usable)) throw new OssUploadError('bad_answer', 'sign')
  // A phone's clock may be wrong, not its pace.
  const offset = sentAt - Date.parse(answer.serverTime || forms[0].serverTime)
  return forms.map(({ url, formData, key, fileUrl, uploadId, expiresAt }) => {
    const deadline = Date.parse(expiresAt) + offset - EXPIRY_MARGIN
    const unique = String(key).includes(uploadId)
    return { target: { url, formData }, deadline, unique, object: { key, url: fileUrl, uploadId } }
  })
}

function createLogin(settings) {
  const { api, now } = settings
  const storageKey = `oss-direct-upload ${settings.endpoint}`
  let kept
  let pending

  async function logIn() {
    try {
      const { code } = await invoke(api, 'login', {}, 'login', REQUEST_TIMEOUT)
      const { token, expiresIn } = await request(settings, '/login', 'login', { code })
      kept = { token, until: now() + Math.max(expiresIn * 1000 - TOKEN_MARGIN, expiresIn * 500) }
      storage('setStorageSync', kept)
    } catch (error) {
      if (error.statusCode !== 404) throw error
      kept = { token: '', until: Infinity } // no WeChat login here
    } finally {
      pending = null
    }
  }

  function storage(method, ...value) {
    try {
      return api[method](storageKey, ...value)
    } catch (error) {
      return null // costs only another login
    }
  }

  return async (rejected) => {
    if (!api.login) return ''
    kept = kept || storage('getStorageSync')
    if (!kept || kept.token === rejected || !(kept.until > now())) {
      pending = pending || logIn()
      await pending
    }
    return kept.token
  }
}

async function request(settings, path, stage, body, token) {
  const header = { 'content-type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
  const options = { url: settings.endpoint + path, method: 'POST', header, headers: header, data: JSON.stringify(body) }
  const res = await invoke(settings.api, 'request', options, stage, REQUEST_TIMEOUT)
  const data = parseJson(res.data)
  if (res.statusCode !== 200) throw functionError(stage, res.statusCode, data, retryAfter(res))
  if (!data || typeof data !== 'object') throw new OssUploadError('bad_answer', stage, { statusCode: 200 })
  return data
}

function retryAfter({ header, headers }) {
  const lines = Object.entries(header || headers || {})
  const found = lines.find(([name]) => /^retry-after$/i.test(name))
  return found && Number(found[1])
}

function parseJson(text) {
  try {
    return typeof text === 'string' ? JSON.parse(text) : text
  } catch (error) {
    return text
  }
}

function pause(failures, { retryAfter: seconds }, { backoff }) {
  const wait = seconds ? seconds * 1000 : backoff * 2 ** failures * (0.5 + Math.random())
  return new Promise((resolve) => setTimeout(resolve, wait))
}

/** Call a callback API; always settles. */
function invoke(api, method, options, stage, timeout, onRequest) {
  return new Promise((resolve, reject) => {
    const finish = (res = {}, failed) => {
      clearTimeout(timer)
      const statusCode = res.statusCode || res.status // Alipay: status, and 4xx in fail
      if (failed && !statusCode) reject(platformError(stage, options.url, res))
      else resolve({ ...res, statusCode })
    }
    let running
    const timer = setTimeout(() => {
      finish({ errMsg: 'timeout' }, true)
      if (running && running.abort) running.abort()
    }, timeout + GRACE)
    try {
      running = api[method]({ ...options, timeout, success: (res) => finish(res), fail: (res) => finish(res, true) })
      if (running && running.catch) running.catch(() => {}) // Taro: also a promise
      if (running && onRequest) onRequest(running)
    } catch (error) {
      finish({ errMsg: String(error) }, true)
    }
  })
}

/** What chooseMedia, chooseMessageFile or chooseImage gave, as files. */
function fromChosen({ tempFiles, tempFilePaths, apFilePaths }) {
  const chosen = tempFiles || (tempFilePaths || apFilePaths).map((path) => ({ path }))
  return chosen.map(({ tempFilePath, path, name, size, fileType, type }) => {
    const filePath = tempFilePath || path
    const kind = fileType || type
    const extension = /\.\w+$/.test(name || filePath)
    const contentType = extension ? undefined : { image: 'image/jpeg', video: 'video/mp4' }[kind]
    return { filePath, name, size, contentType, fileType: kind }
  })
}

module.exports = { createUploader, OssUploadError }
