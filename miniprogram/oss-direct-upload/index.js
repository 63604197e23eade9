'use strict'

const { OssUploadError, platformError, functionError, ossError } = require('./errors')

const MOST_IN_FLIGHT = 10 // the platforms' limit
const REQUEST_TIMEOUT = 20000
const GRACE = 2000 // when a platform misses its timeout
const EXPIRY_MARGIN = 5000
const TOKEN_MARGIN = 60000
const LONGEST_RETRY_AFTER = 60

function createUploader({ endpoint, api, concurrency = 3, profile, ...others }) {
  if (!endpoint || !api) throw new TypeError('createUploader needs endpoint and api')
  const defaults = { timeout: 120000, retries: 2, backoff: 500, now: Date.now }
  const settings = { ...defaults, ...others, api, endpoint: endpoint.replace(/\/+$/, '') }
  const most = Math.min(Math.max(concurrency, 1) || 1, MOST_IN_FLIGHT)
  const sign = createSigner(settings)
  const queue = []
  let running = 0

  function start() {
    while (queue.length && running < most) {
      const job = queue.shift()
      if (job.aborted) continue
      running += 1
      deliver(job, sign, settings).then(job.resolve, job.reject)
      job.promise.then(leave, leave)
    }
  }

  function leave() {
    running -= 1
    start()
  }

  function upload(file) {
    const job = /** @type {any} */ ({ file: { profile, ...file }, progress: 0 })
    job.promise = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }))
    queue.push(job)
    start()
    return { promise: job.promise, abort: () => abort(job) }
  }

  function uploadAll(files, { onProgress } = /** @type {any} */ ({})) {
    const parts = files.map(({ size = 0 }) => ({ loaded: 0, total: size, finished: 0 }))
    const change = (part, values) => {
      Object.assign(part, values)
      const sum = (name) => parts.reduce((all, each) => all + each[name], 0)
      const [loaded, total, finished] = ['loaded', 'total', 'finished'].map(sum)
      const progress = total && Math.floor(100 * loaded / total)
      notify(onProgress, { progress, loaded, total, finished, count: files.length })
    }
    return Promise.all(files.map((file, index) => {
      const part = parts[index]
      const report = (event) => { notify(file.onProgress, event); change(part, event) }
      return upload({ ...file, onProgress: report }).promise
        .then((value) => ({ status: 'fulfilled', value }), (reason) => ({ status: 'rejected', reason }))
        .then((result) => { change(part, { loaded: part.total, finished: 1 }); return result })
    }))
  }

  return { upload, uploadAll, fromChosen }
}

function abort(job) {
  job.aborted = new OssUploadError('aborted', 'upload')
  job.reject(job.aborted)
  if (job.request && job.request.abort) job.request.abort()
}

// A new form is a new key: only while OSS surely stored nothing under the last one,
// else a lost answer would leave two objects.
async function deliver(job, sign, settings) {
  const { filePath, size } = job.file
  if (!filePath || size === 0) throw new OssUploadError(filePath ? 'empty_file' : 'bad_file', 'sign')
  let form = await sign(job)
  let failures = 0
  let renewed = false
  let mayBeStored = false
  for (;;) {
    try {
      return await post(job, form, settings)
    } catch (error) {
      // Network stacks resend, too; a key with {id} is nobody else's.
      const ours = mayBeStored || form.key.includes(form.uploadId)
      if (error.code === 'file_exists' && ours) return uploaded(form, 409)
      Object.assign(error, objectOf(form))
      const expired = error.code === 'form_expired'
      if (!expired || mayBeStored || renewed) {
        await pause(error, failures, settings)
        failures += 1
        mayBeStored = mayBeStored || !(expired || error.statusCode === 503)
        if (settings.now() < form.deadline) continue
        if (mayBeStored) throw new OssUploadError('unknown_outcome', 'upload', objectOf(form))
        if (renewed) throw error
      }
      form = await sign(job)
      renewed = true
    }
  }
}

async function post(job, form, { api, timeout }) {
  if (job.aborted) throw job.aborted
  const { url, formData } = form
  const { filePath, contentType = 'image', fileType = contentType.split('/')[0] } = job.file
  const options = { url, formData, filePath, name: 'file', fileName: 'file', fileType } // last two: Alipay
  const { statusCode, data } = await invoke(api, 'uploadFile', options, 'upload', timeout, (request) => {
    job.request = request
    if (request.onProgressUpdate) request.onProgressUpdate((event) => advance(job, event))
  })
  if (![200, 201, 204].includes(statusCode)) throw ossError(statusCode, data)
  advance(job, { progress: 100 })
  return uploaded(form, statusCode, data)
}

function advance(job, { progress, totalBytesExpectedToSend = job.total || 0 }) {
  if (job.aborted) return
  job.progress = Math.max(job.progress, progress) // never back
  job.total = job.file.size || totalBytesExpectedToSend
  const loaded = Math.floor(job.total * job.progress / 100)
  notify(job.file.onProgress, { progress: job.progress, loaded, total: job.total })
}

function notify(listener, event) {
  try {
    if (listener) listener(event)
  } catch (error) {
    console.error(error) // the page's own mistake
  }
}

function objectOf({ key, fileUrl, uploadId }) {
  return { key, url: fileUrl, uploadId }
}

function uploaded(form, statusCode, text = '') {
  const data = parseJson(text)
  return { ...objectOf(form), statusCode, data, receipt: (data && data.receipt) || null }
}

// Jobs that start together share one request.
function createSigner(settings) {
  const getToken = createLogin(settings)
  const waiting = []

  function flush() {
    const asked = waiting.splice(0).filter(({ job }) => !job.aborted)
    if (asked.length) answer(asked)
  }

  async function answer(asked) {
    try {
      const forms = await requestForms(asked.map(({ job }) => fieldsOf(job.file)))
      asked.forEach(({ resolve }, index) => resolve(forms[index]))
    } catch (error) {
      const oneIsBad = asked.length > 1 && [400, 413, 415].includes(error.statusCode)
      asked.forEach((each) => (oneIsBad ? answer([each]) : each.reject(error)))
    }
  }

  async function requestForms(files) {
    for (let failures = 0; ; failures += 1) {
      try {
        return await requestOnce(files)
      } catch (error) {
        await pause(error, failures, settings)
      }
    }
  }

  async function requestOnce(files, rejected) {
    const token = await getToken(rejected)
    const sentAt = settings.now()
    try {
      const data = files.length > 1 ? { files } : files[0]
      return readForms(await request(settings, '/upload-params', 'sign', data, token), files, sentAt)
    } catch (error) {
      if (error.statusCode !== 401 || rejected !== undefined) throw error
      return requestOnce(files, token)
    }
  }

  return (job) => new Promise((resolve, reject) => {
    if (waiting.push({ job, resolve, reject }) === 1) Promise.resolve().then(flush)
  })
}

function fieldsOf({ profile, name, filePath, contentType, size }) {
  return { profile, filename: name || String(filePath).split('/').pop(), contentType, size }
}

function readForms(answer, files, sentAt) {
  const forms = answer.uploads || [answer]
  if (!files.every((_, index) => forms[index] && forms[index].formData)) throw new OssUploadError('bad_answer', 'sign')
  // A phone's clock may be wrong, not its pace.
  const offset = sentAt - Date.parse(answer.serverTime) - EXPIRY_MARGIN
  return forms.map((form) => ({ ...form, deadline: Date.parse(form.expiresAt) + offset }))
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
      kept = { token, until: now() + expiresIn * 1000 - TOKEN_MARGIN }
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

  async function askPage(refresh) {
    try {
      return await settings.getToken({ refresh })
    } catch (error) {
      throw new OssUploadError('login_failed', 'login', { detail: error.message })
    }
  }

  return async (rejected) => {
    if (settings.getToken) return askPage(rejected !== undefined)
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
  if (!data || typeof data !== 'object') throw new OssUploadError('bad_answer', stage)
  return data
}

function retryAfter({ header, headers = header || {} }) {
  return Number(headers['Retry-After'] || headers['retry-after']) || undefined
}

function parseJson(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return text
  }
}

/** Wait before the next attempt, or throw the error when there is to be none. */
async function pause(error, failures, { retries, backoff }) {
  const { retryable, retryAfter: seconds } = error
  if (!retryable || failures >= retries || seconds > LONGEST_RETRY_AFTER) throw error
  const wait = seconds ? seconds * 1000 : backoff * 2 ** failures * (0.5 + Math.random())
  await new Promise((resolve) => setTimeout(resolve, wait))
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
  return chosen.map(({ path, tempFilePath = path, name, size, type, fileType = type }) => {
    const extension = /\.\w+$/.test(name || tempFilePath)
    const contentType = extension ? undefined : { image: 'image/jpeg', video: 'video/mp4' }[fileType]
    return { filePath: tempFilePath, name, size, contentType, fileType }
  })
}

module.exports = { createUploader, OssUploadError }
