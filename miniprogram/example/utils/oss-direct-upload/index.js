const { OssUploadError, platformError, functionError, ossError } = require('./errors')

function createUploader(options) {
  const client = { concurrency: 3, timeout: 120000, retries: 2, backoff: 500, now: Date.now, ...options }
  if (!client.endpoint || !client.api) throw new TypeError('endpoint and api are needed')
  const most = Math.min(Math.max(client.concurrency, 1) || 1, 10) // the platforms' limit
  let pending = []

  function start() {
    const jobs = pending.slice(0, most).filter(({ started }) => !started)
    jobs.forEach((job) => { job.started = true })
    if (jobs.length) sign(jobs, client)
  }

  function upload(file, onChange) {
    const job = { ...file, onChange, failures: 0, progress: 0, loaded: 0, total: file.size || 0, finished: 0 }
    job.promise = new Promise((resolve, reject) => Object.assign(job, { resolve, reject }))
    const end = () => {
      pending = pending.filter((each) => each !== job)
      Object.assign(job, { loaded: job.total, finished: 1 })
      attempt(onChange)
      setTimeout(start)
    }
    const fail = (code, stage) => {
      job.finished = 1
      job.reject(new OssUploadError(code, '', { stage }))
      stop(job.task)
    }
    job.promise.then(end, end)
    job.abort = () => fail('aborted', 'upload')
    if (!job.filePath) fail('bad_file', 'sign')
    if (job.size === 0) fail('empty_file', 'sign')
    pending.push(job)
    setTimeout(start)
    return job
  }

  function uploadAll(files, listen) {
    const jobs = files.map((file) => upload(file, report))

    function report() {
      const sum = (name) => jobs.reduce((all, job) => all + job[name], 0)
      const [loaded, total, finished] = ['loaded', 'total', 'finished'].map(sum)
      const progress = Math.floor(100 * (total ? loaded / total : finished / jobs.length))
      attempt(Object(listen).onProgress, { progress, loaded, total, finished, count: jobs.length })
    }

    return Promise.all(jobs.map(({ promise }) => promise
      .then((value) => ({ status: 'fulfilled', value }), (reason) => ({ status: 'rejected', reason }))))
  }

  return { upload: (file) => upload(file), uploadAll, fromChosen }
}

// Jobs that start together share one request.
async function sign(jobs, client, refresh = false) {
  const { getToken = logIn, now } = client
  let stage = 'login'
  try {
    const token = await getToken({ refresh }, client)
    stage = 'sign'
    const files = jobs.map(({ profile = client.profile, filePath, name, size, contentType }) => (
      { profile, filename: name || String(filePath).split('/').pop(), contentType, size }
    ))
    const reply = await request(client, '/upload-params', files.length > 1 ? { files } : files[0], token)
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
  if (job.finished) return
  if (!form) return sign([job], client)
  const { url, formData, key, fileUrl, uploadId, expiresAt } = form
  const object = { key, url: fileUrl, uploadId }
  try {
    const { filePath, contentType = 'image', fileType = contentType.split('/')[0] } = job
    const alipay = { fileName: 'file', fileType }
    const options = { url, formData, filePath, name: 'file', ...alipay, timeout: client.timeout }
    const { statusCode, data } = await invoke(client.api, 'uploadFile', options, job)
    // Network stacks resend, too.
    const isThere = /<Code>FileAlreadyExists/.test(data) && (form.mayBeStored || key.includes(uploadId))
    if (!isThere && ![200, 201, 204].includes(statusCode)) throw ossError(statusCode, data)
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

function retry(job, client, error, form) {
  if (!error.retryable || !(job.failures < client.retries)) return job.reject(error)
  setTimeout(send, client.backoff * 2 ** job.failures * (0.5 + Math.random()), job, client, form)
  job.failures += 1
}

function advance(job, event) {
  if (job.finished) return
  job.progress = Math.max(job.progress, event.progress) // never back
  job.bytes = job.size || event.totalBytesExpectedToSend || job.bytes || 0
  const loaded = Math.floor(job.bytes * job.progress / 100)
  if (job.size) job.loaded = loaded
  attempt(job.onProgress, { progress: job.progress, loaded, total: job.bytes })
  attempt(job.onChange)
}

/** The built-in login; a token ends a minute early. */
async function logIn({ refresh }, client) {
  const { api, endpoint, now } = client
  if (!api.login) return ''
  const storageKey = `oss-direct-upload ${endpoint}`
  const kept = client.session || attempt(api.getStorageSync, storageKey)
  if (!refresh && Object(kept).until > now()) return kept.token
  try {
    client.asked = client.asked || invoke(api, 'login', {}).then(({ code }) => request(client, '/login', { code }))
    const { token, expiresIn } = await client.asked
    client.session = { token, until: now() + (expiresIn - 60) * 1000 }
    attempt(api.setStorageSync, storageKey, client.session)
  } catch (error) {
    if (error.statusCode !== 404) throw error
    client.session = { token: '', until: Infinity } // no WeChat login here
  } finally {
    client.asked = null
  }
  return client.session.token
}

async function request({ api, endpoint }, path, body, token) {
  const url = endpoint.replace(/\/*$/, path)
  const header = { 'content-type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
  const options = { url, method: 'POST', header, headers: header, data: JSON.stringify(body) }
  const { statusCode, data } = await invoke(api, 'request', options)
  if (statusCode !== 200) throw functionError(statusCode, Object(data))
  return Object(data)
}

/** Always settles. Alipay says `status`, and calls `fail` for a 4xx. */
async function invoke(api, method, { timeout = 20000, ...options }, job = {}) {
  let timer = 0
  try {
    return await new Promise((resolve, reject) => {
      const success = (res) => resolve({ statusCode: res.status, ...res, data: parseJson(res.data) })
      const fail = (res) => (res.status || res.statusCode ? success : reject)(res)
      timer = setTimeout(reject, timeout, { errMsg: 'timeout' })
      const task = Object(api[method]({ ...options, timeout, success, fail }))
      job.task = task
      Promise.resolve(task).catch(() => {}) // Taro's
      if (task.onProgressUpdate) task.onProgressUpdate((event) => advance(job, event))
    })
  } catch (failure) {
    stop(job.task)
    throw platformError(failure, method, options.url)
  } finally {
    clearTimeout(timer)
  }
}

function stop(task) {
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
    const extension = /\.\w+$/.test(name || filePath)
    const contentType = extension ? undefined : { image: 'image/jpeg', video: 'video/mp4' }[fileType]
    return { filePath, name, size, contentType, fileType }
  })
}

module.exports = { createUploader, OssUploadError }
