'use strict'

const { OssUploadError, platformError, functionError, ossError } = require('./errors')

const MOST_IN_FLIGHT = 10 // the platforms' limit
const REQUEST_TIMEOUT = 20000
const GRACE = 2000 // when a platform misses its timeout
const EXPIRY_MARGIN = 5000
const TOKEN_MARGIN = 60000
const LONGEST_RETRY_AFTER = 60

function createUploader({ endpoint, api, concurrency = 3, ...others }) {
  if (!endpoint || !api) throw new TypeError('createUploader needs endpoint and api')
  const defaults = { timeout: 120000, retries: 2, backoff: 500, now: Date.now }
  const settings = /** @type {any} */ ({ ...defaults, ...others, api, endpoint: endpoint.replace(/\/+$/, '') })
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
      const leave = () => { running -= 1; start() }
      job.promise.then(leave, leave)
    }
  }

  function upload(file) {
    const job = /** @type {any} */ ({ file: { profile: settings.profile, ...file }, progress: 0 })
    job.promise = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }))
    queue.push(job)
    start()
    const abort = () => {
      job.aborted = new OssUploadError('aborted', { stage: 'upload' })
      job.reject(job.aborted)
      if (job.task && job.task.abort) job.task.abort()
    }
    return { promise: job.promise, abort }
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
    return Promise.all(files.map(async (file, index) => {
      const part = parts[index]
      const report = (event) => { notify(file.onProgress, event); change(part, event) }
      const outcome = await upload({ ...file, onProgress: report }).promise
        .then((value) => ({ status: 'fulfilled', value }), (reason) => ({ status: 'rejected', reason }))
      change(part, { loaded: part.total, finished: 1 })
      return outcome
    }))
  }

  return { upload, uploadAll, fromChosen }
}

// A fresh form is a fresh key: only while OSS surely stored nothing under the last one,
// else a lost answer would leave two objects.
async function deliver(job, sign, settings) {
  const { filePath, size } = job.file
  let form
  let failures = 0
  let renewed = false
  let mayBeStored = false
  for (;;) {
    try {
      if (!filePath || size === 0) throw new OssUploadError(filePath ? 'empty_file' : 'bad_file')
      form = form || await sign(job)
      return await post(job, form, settings)
    } catch (error) {
      const { code, statusCode, stage = form ? 'upload' : 'sign' } = error
      // Network stacks resend, too; a key with {id} is nobody else's.
      const ours = form && (mayBeStored || form.object.key.includes(form.object.uploadId))
      if (code === 'file_exists' && ours) return uploaded(form.object, 409)
      Object.assign(error, { stage }, form && form.object)
      const expired = code === 'form_expired'
      if (!expired || mayBeStored || renewed) {
        await pause(error, failures, settings)
        failures += 1
        mayBeStored = mayBeStored || (form && !expired && statusCode !== 503)
        if (!form || settings.now() < form.deadline) continue
        if (mayBeStored) throw new OssUploadError('unknown_outcome', { stage, ...form.object })
        if (renewed) throw error
      }
      form = null
      renewed = true
    }
  }
}

async function post(job, { target, object }, { api, timeout }) {
  if (job.aborted) throw job.aborted
  const { filePath, contentType = 'image', fileType = contentType.split('/')[0] } = job.file
  const options = { ...target, filePath, name: 'file', fileName: 'file', fileType } // last two: Alipay
  const { statusCode, data } = await invoke(api, 'uploadFile', timeout, options, job)
  if (![200, 201, 204].includes(statusCode)) throw ossError(statusCode, data)
  advance(job, { progress: 100 })
  return uploaded(object, statusCode, data)
}

function follow(job, task) {
  job.task = task
  if (task && task.onProgressUpdate) task.onProgressUpdate((event) => advance(job, event))
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

function uploaded(object, statusCode, text = '') {
  const data = parseJson(text)
  return { ...object, statusCode, data, receipt: (data && data.receipt) || null }
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
      const files = asked.map(({ job: { file: { profile, name, filePath, contentType, size } } }) => (
        { profile, filename: name || String(filePath).split('/').pop(), contentType, size }
      ))
      const forms = await requestForms(files)
      asked.forEach(({ resolve }, index) => resolve(forms[index]))
    } catch (error) {
      const oneIsBad = asked.length > 1 && [400, 413, 415].includes(error.statusCode)
      asked.forEach((each) => (oneIsBad ? answer([each]) : each.reject(error)))
    }
  }

  async function requestForms(files, rejected) {
    const token = await getToken(rejected)
    const sentAt = settings.now()
    try {
      const body = files.length > 1 ? { files } : files[0]
      const reply = await request(settings, '/upload-params', body, token)
      return readForms(reply, files, sentAt)
    } catch (error) {
      if (error.statusCode !== 401 || rejected !== undefined) throw error
      return requestForms(files, token || '')
    }
  }

  return (job) => new Promise((resolve, reject) => {
    if (waiting.push({ job, resolve, reject }) === 1) setTimeout(flush)
  })
}

function readForms(answer, files, sentAt) {
  const forms = answer.uploads || [answer]
  if (!files.every((_, index) => forms[index] && forms[index].formData)) throw new OssUploadError('bad_answer')
  // A phone's clock may be wrong, not its pace.
  const offset = sentAt - Date.parse(answer.serverTime) - EXPIRY_MARGIN
  return forms.map(({ url, formData, key, fileUrl, uploadId, expiresAt }) => (
    { target: { url, formData }, object: { key, url: fileUrl, uploadId }, deadline: Date.parse(expiresAt) + offset }
  ))
}

function createLogin(settings) {
  const { api, getToken, now } = settings
  const storageKey = `oss-direct-upload ${settings.endpoint}`
  let kept
  let pending

  async function logIn() {
    try {
      const { code } = await invoke(api, 'login', REQUEST_TIMEOUT, {})
      const { token, expiresIn } = await request(settings, '/login', { code })
      kept = { token, until: now() + expiresIn * 1000 - TOKEN_MARGIN }
      storage('setStorageSync', kept)
    } catch (error) {
      if (error.statusCode !== 404) throw Object.assign(error, { stage: 'login' })
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
    try {
      if (getToken) return await getToken({ refresh: rejected !== undefined })
    } catch (error) {
      throw Object.assign(platformError('login', '', error), { stage: 'login' })
    }
    if (!api.login) return ''
    kept = kept || storage('getStorageSync')
    if (!kept || kept.token === rejected || !(kept.until > now())) {
      pending = pending || logIn()
      await pending
    }
    return kept.token
  }
}

async function request({ api, endpoint }, path, body, token) {
  const header = { 'content-type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
  const options = { url: endpoint + path, method: 'POST', header, headers: header, data: JSON.stringify(body) }
  const { statusCode, data, header: sent = {} } = await invoke(api, 'request', REQUEST_TIMEOUT, options)
  const answer = parseJson(data)
  const retryAfter = Number(sent['Retry-After'] || sent['retry-after']) || undefined
  if (statusCode !== 200) throw functionError(statusCode, answer, retryAfter)
  if (!answer || typeof answer !== 'object') throw new OssUploadError('bad_answer')
  return answer
}

function parseJson(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return text // no JSON, or parsed by the platform
  }
}

/** Wait before the next attempt, or throw the error when there is to be none. */
async function pause(error, failures, { retries, backoff }) {
  const { retryable, retryAfter = 0 } = error
  if (!retryable || failures >= retries || retryAfter > LONGEST_RETRY_AFTER) throw error
  const wait = retryAfter * 1000 || backoff * 2 ** failures * (0.5 + Math.random())
  await new Promise((resolve) => setTimeout(resolve, wait))
}

/** Call a callback API; always settles. Alipay: `status` and `headers`, and a 4xx comes to `fail`. */
async function invoke(api, method, timeout, options, job) {
  let /** @type {any} */ timer, /** @type {any} */ task
  try {
    return await new Promise((resolve, reject) => {
      const success = ({ status, headers, ...res }) => resolve({ statusCode: status, header: headers, ...res })
      const fail = (res = /** @type {any} */ ({})) => (res.status || res.statusCode ? success(res) : reject(res))
      timer = setTimeout(fail, timeout + GRACE, { errMsg: 'timeout' })
      task = api[method]({ ...options, timeout, success, fail })
      if (task && task.catch) task.catch(() => {}) // Taro: also a promise
      if (job) follow(job, task)
    })
  } catch (failure) {
    if (task && task.abort) task.abort()
    throw platformError(method, options.url, failure)
  } finally {
    clearTimeout(timer)
  }
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
