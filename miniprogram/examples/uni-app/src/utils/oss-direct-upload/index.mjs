import { OssUploadError, platformError, functionError, ossError } from './errors.mjs'

function createUploader(options) {
  const client = { concurrency: 3, timeout: 120000, retries: 2, backoff: 500, now: Date.now, ...options }
  const { api, endpoint, user = '', texts } = client
  if (!endpoint || !api) throw new TypeError('endpoint and api are needed')
  const storageKey = `oss-direct-upload ${endpoint} ${user}`.trim()
  Object.assign(client, { storageKey, login: {}, breaks: 0, waiting: [] })
  const most = Math.min(Math.max(client.concurrency, 1) || 1, 10) // the platforms' limit
  const watch = watcher(client)
  const inWords = (error) => Object.assign(error, { message: attempt(texts, error) || error.message })
  let pending = []

  function start() {
    const jobs = pending.slice(0, most).filter(({ started }) => !started)
    jobs.forEach((job) => { job.started = true })
    if (jobs.length) sign(jobs, client)
  }

  function upload(file, onChange) {
    const job = { ...file, onChange, breaks: client.breaks, failures: 0, progress: 0 }
    job.promise = new Promise((resolve, reject) => {
      Object.assign(job, { resolve, reject: (error) => reject(inWords(error)) })
    })
    const end = (outcome) => {
      Object.assign(job, { finished: 1 }, outcome.value && { loaded: job.size, stored: 1 })
      pending = pending.filter((each) => each !== job)
      if (!pending.length) watch('off')
      attempt(onChange, outcome)
      setTimeout(start)
      return outcome
    }
    job.outcome = job.promise
      .then((value) => end({ status: 'fulfilled', value }), (reason) => end({ status: 'rejected', reason }))
    const drop = (code, stage = 'sign') => {
      job.finished = 1
      job.reject(new OssUploadError(code, '', { stage }))
      stop(job)
    }
    job.abort = () => drop('aborted', 'upload')
    if (!job.filePath) drop('bad_file')
    if (job.size === 0) drop('empty_file')
    if (!pending.length) watch('on')
    pending.push(job)
    setTimeout(start)
    return job
  }

  function uploadAll(files, { onProgress, onFile } = Object()) {
    const jobs = files.map((file, index) => upload(file, (outcome) => {
      report()
      if (outcome) attempt(onFile, { index, file, ...outcome })
    }))

    function report() {
      const sum = (name) => jobs.reduce((all, job) => all + (job[name] || 0), 0)
      const [loaded, total, finished, stored] = ['loaded', 'size', 'finished', 'stored'].map(sum)
      const count = jobs.length
      const part = Math.floor(100 * (total ? loaded / total : stored / count))
      const progress = Math.min(part, stored < count ? 99 : 100)
      attempt(onProgress, { progress, loaded, total, finished, failed: finished - stored, count })
    }

    const abort = () => jobs.forEach((job) => job.abort())
    return Object.assign(Promise.all(jobs.map(({ outcome }) => outcome)), { abort })
  }

  // What one user began must not end as the next.
  function logOut() {
    client.login = {}
    attempt(api.removeStorageSync, storageKey)
    pending.forEach((job) => job.abort())
  }

  const explain = (failure) => inWords(platformError(failure, 'choose'))
  return { upload: (file) => upload(file), uploadAll, fromChosen, logOut, explain }
}

// Jobs that start together share one request.
async function sign(jobs, client, refresh = false) {
  const { getToken = logIn, now } = client
  let stage = 'login'
  try {
    await ready(client)
    const token = await getToken({ refresh }, client)
    stage = 'sign'
    jobs = jobs.filter(({ finished }) => !finished)
    if (!jobs.length) return
    const files = jobs.map(({ profile = client.profile, filePath, name, size, contentType }) => (
      { profile, filename: name || String(filePath).split('/').pop(), contentType, size }
    ))
    const reply = await request(client, '/upload-params', files[1] ? { files } : files[0], token)
    const forms = reply.uploads || [reply]
    if (!jobs.every((_, index) => Object(forms[index]).formData)) throw new OssUploadError('bad_answer')
    // A phone's clock may be wrong, not its pace. A form ends 5 s early.
    client.clockOffset = now() - 5000 - Date.parse(reply.serverTime)
    jobs.forEach((job, index) => send(job, client, forms[index]))
  } catch (cause) {
    const error = Object.assign(platformError(cause, 'login'), { stage })
    if (error.statusCode === 401 && stage === 'sign' && !refresh) return sign(jobs, client, true)
    const oneIsBad = jobs.length > 1 && [400, 413, 415].includes(error.statusCode)
    jobs.forEach((job) => (oneIsBad ? send(job, client) : retry(job, client, error)))
  }
}

// A fresh form is a fresh key: only when OSS surely stored nothing under the last one.
async function send(job, client, form) {
  await ready(client)
  if (job.finished) return
  if (!form) return sign([job], client)
  const { url, formData, key, fileUrl, uploadId, expiresAt, maxSize } = form
  const object = { key, url: fileUrl, uploadId }
  try {
    const { filePath, contentType = 'image', fileType = contentType.split('/')[0] } = job
    const alipay = { fileName: 'file', fileType }
    const options = { url, formData, filePath, name: 'file', ...alipay, timeout: client.timeout }
    const { statusCode, data } = await invoke(client.api, 'uploadFile', options, job)
    // Network stacks resend, too.
    const isThere = /<Code>FileAlreadyExists/.test(data) && (form.mayBeStored || key.includes(uploadId))
    if (!isThere && ![200, 201, 204].includes(statusCode)) throw ossError(statusCode, data, !job.size && { maxSize })
    advance(job, { progress: 100 })
    job.resolve({ ...object, statusCode, data, receipt: Object(data).receipt || null })
  } catch (error) {
    const expired = error.code === 'form_expired'
    const late = client.now() >= Date.parse(expiresAt) + client.clockOffset
    form.mayBeStored = form.mayBeStored || !(expired || error.statusCode === 503)
    if (!form.mayBeStored && !job.renewed && (expired || late)) {
      job.renewed = true
      return sign([job], client)
    }
    const isLost = form.mayBeStored && error.retryable && (late || (expired && job.failures >= client.retries))
    const final = isLost ? new OssUploadError('unknown_outcome') : error
    retry(job, client, Object.assign(final, { stage: 'upload' }, object), form)
  }
}

// What the background or a lost network broke off is no retry.
function retry(job, client, error, form) {
  const broken = job.breaks < client.breaks
  job.breaks = client.breaks
  if (!error.retryable || !(broken || job.failures < client.retries)) return job.reject(error)
  const wait = broken ? 0 : client.backoff * 2 ** job.failures * (0.5 + Math.random())
  setTimeout(send, Math.max(wait, 1000 * error.retryAfter || 0), job, client, form)
  job.failures += !broken
}

/** Follows app and network, where the platform tells. */
function watcher(client) {
  const change = (state) => {
    if (Object.assign(client, state).hidden || client.offline) client.breaks += 1
    else client.waiting.splice(0).forEach((go) => go())
  }
  const listeners = {
    AppHide: () => change({ hidden: true }),
    AppShow: () => change({ hidden: false }),
    NetworkStatusChange: ({ isConnected }) => change({ offline: !isConnected }),
  }
  return (onOrOff) => {
    change({ hidden: false, offline: false })
    for (const name in listeners) attempt(client.api[onOrOff + name], listeners[name])
  }
}

/** In front and online, or `timeout` is over. */
async function ready({ hidden, offline, timeout, waiting }) {
  let timer = 0
  if (hidden || offline) await new Promise((go) => { timer = setTimeout(go, timeout, waiting.push(go)) })
  clearTimeout(timer)
}

function advance(job, event, most = 100) {
  if (job.finished) return
  job.progress = Math.max(job.progress, Math.min(event.progress, most)) // never back
  job.bytes = job.size || event.totalBytesExpectedToSend || job.bytes || 0
  const loaded = Math.floor(job.bytes * job.progress / 100)
  if (job.size) job.loaded = loaded
  attempt(job.onProgress, { progress: job.progress, loaded, total: job.bytes })
  attempt(job.onChange)
}

/** The built-in login; a token ends a minute early. */
async function logIn({ refresh }, client) {
  const { api, now, storageKey, login } = client
  if (!api.login) return ''
  const kept = login.session || attempt(api.getStorageSync, storageKey)
  if (!refresh && Object(kept).until > now()) return kept.token
  try {
    login.asked = login.asked || invoke(api, 'login', {}).then(({ code }) => request(client, '/login', { code }))
    const { token, expiresIn } = await login.asked
    login.session = { token, until: now() + (expiresIn - 60) * 1000 }
    if (login === client.login) attempt(api.setStorageSync, storageKey, login.session)
  } catch (error) {
    if (error.statusCode !== 404) throw error
    login.session = { token: '', until: Infinity } // no WeChat login here
  } finally {
    login.asked = null
  }
  return login.session.token
}

async function request({ api, endpoint }, path, body, token) {
  const url = endpoint.replace(/\/*$/, path)
  const header = { 'content-type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
  const options = { url, method: 'POST', header, headers: header, data: JSON.stringify(body) }
  const answer = await invoke(api, 'request', options)
  if (answer.statusCode !== 200) throw functionError(answer)
  return Object(answer.data)
}

/** Always settles. On Alipay `status`, and `fail` for a 4xx. */
async function invoke(api, method, { timeout = 20000, ...options }, job = Object()) {
  let timer = 0
  try {
    return await new Promise((resolve, reject) => {
      const success = (res) => resolve({ statusCode: res.status, ...res, data: parseJson(res.data) })
      const fail = (res) => (res.status || res.statusCode ? success : reject)(res)
      timer = setTimeout(reject, timeout, { errMsg: 'timeout' })
      const task = Object(api[method]({ ...options, timeout, success, fail }))
      job.task = task
      Promise.resolve(task).catch(() => {}) // Taro's
      if (task.onProgressUpdate) task.onProgressUpdate((event) => advance(job, event, 99)) // sent is not stored
    })
  } catch (failure) {
    stop(job)
    throw platformError(failure, method, options.url)
  } finally {
    clearTimeout(timer)
  }
}

function stop({ task }) {
  if (task && task.abort) task.abort()
}

function parseJson(text) {
  try {
    return JSON.parse(text)
  } catch (error) {
    return text // no JSON, or parsed already
  }
}

function attempt(call, ...values) {
  try {
    return call && call(...values)
  } catch (error) {
    console.error(error) // ends no upload
  }
}

function fromChosen({ tempFiles, tempFilePaths, apFilePaths = tempFilePaths }) {
  const chosen = tempFiles || apFilePaths.map((path) => ({ path }))
  return chosen.map(({ path, tempFilePath: filePath = path, name, size, type, fileType = type }) => {
    const guesses = /\.\w+$/.test(name || filePath) ? {} : { image: 'image/jpeg', video: 'video/mp4' }
    return { filePath, name, size, contentType: guesses[fileType], fileType }
  })
}

export { createUploader, OssUploadError }
