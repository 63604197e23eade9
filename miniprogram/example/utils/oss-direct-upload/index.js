const { OssUploadError, platformError, ossError } = require('./errors')
const { addDigest, advance, ask, attempt, insist, invoke, mayRepeat, pauseBefore, ready, stop } = require('./calls')
const { confirm, read } = require('./after')
const { checkOptions } = require('./options')

function createUploader(options) {
  checkOptions(options)
  const client = { concurrency: 3, timeout: 120000, retries: 2, backoff: 500, now: Date.now, ...options }
  const { api, endpoint, user = '', texts } = client
  const storageKey = `oss-direct-upload ${endpoint} ${user}`.trim()
  Object.assign(client, { storageKey, login: {}, urls: new Map(), limits: new Map(), breaks: 0, waiting: [], switches: switchesOf(options) })
  const most = Math.min(Math.max(client.concurrency, 1) || 1, 10) // the platforms' limit
  const watch = watcher(client)
  const inWords = (error) => Object.assign(error, { message: attempt(texts, error) || error.message })
  let pending = []
  let listening = 0

  function listen(more) {
    if (!listening) watch('on')
    listening += more
    if (!listening) watch('off')
  }

  function start() {
    const jobs = pending.slice(0, most).filter(({ started }) => !started)
    jobs.forEach((job) => { job.started = true })
    const isPicture = ({ compress, fileType, contentType = fileType }) => compress && !/video|audio/.test(contentType)
    begin(jobs.filter((job) => !isPicture(job)))
    jobs.filter(isPicture).forEach((job) => require('./smaller').shrink(job, client).then(() => begin([job])))
  }

  function begin(jobs) {
    const byForm = jobs.filter((job) => !(refuse(job) || attempt(client.carry, job, client, () => sign([job], client))))
    if (byForm.length) sign(byForm, client)
  }

  /** What the profile refused a while ago it would refuse again. */
  function refuse(job) {
    const { maxSize, until } = Object(client.limits.get(job.profile || client.profile))
    const isTooLarge = job.size > maxSize && client.now() < until
    const limits = { maxSize }
    if (isTooLarge) job.reject(new OssUploadError('too_large', `${job.size} bytes`, { stage: 'sign', limits }))
    return job.finished || isTooLarge
  }

  function upload(file, onChange) {
    const { compress = client.compress } = file
    const job = { ...file, compress, onChange, breaks: client.breaks, failures: 0, progress: 0 }
    job.promise = new Promise((resolve, reject) => {
      const fail = (error) => reject(inWords(Object.assign(error, known(job, 'compressed', 'timing'))))
      Object.assign(job, { resolve: (value) => resolve(standing(value, job)), reject: fail })
    })
    const end = (outcome) => {
      Object.assign(job, { finished: 1 }, outcome.value && { loaded: job.size, stored: 1 })
      const { statusCode, limits } = Object(outcome.reason)
      if (statusCode) noteLimit(client, job, limits) // what was refused here says nothing new
      pending = pending.filter((each) => each !== job)
      listen(-1)
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
    listen(1)
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
      // What shrinks counts by the size that it had.
      const [done, all] = jobs.reduce(([part, whole], { weight, progress, loaded: sent = 0, size = 0 }) => (
        weight ? [part + weight * progress / 100, whole + weight] : [part + sent, whole + size]
      ), [0, 0])
      const part = Math.floor(100 * (all ? done / all : stored / count))
      const progress = Math.min(part, stored < count ? 99 : 100)
      attempt(onProgress, { progress, loaded, total, finished, failed: finished - stored, count })
    }

    const abort = () => jobs.forEach((job) => job.abort())
    return Object.assign(Promise.all(jobs.map(({ outcome }) => outcome)), { abort })
  }

  async function told(answer) {
    listen(1)
    try {
      return await answer
    } catch (error) {
      throw inWords(error)
    } finally {
      listen(-1)
    }
  }

  // What one user began must not end as the next.
  function logOut() {
    Object.assign(client, { login: {}, urls: new Map(), limits: new Map() })
    attempt(api.removeStorageSync, storageKey)
    pending.forEach((job) => job.abort())
  }

  const explain = (failure) => inWords(platformError(failure, 'choose'))
  return {
    upload: (file) => upload(file),
    uploadAll,
    read: (keys, options) => told(read(client, keys, options)),
    confirm: (ticket) => told(confirm(client, ticket)),
    status: (receipts) => told(require('./held').status(client, receipts, inWords)),
    discard: (result) => told(require('./held').discard(client, result)),
    list: (wanted) => require('./owned').list(client, wanted, told),
    delete: (keys) => told(require('./owned').remove(client, keys, inWords)),
    fromChosen,
    logOut,
    explain,
  }
}

// Jobs that start together share one request.
async function sign(jobs, client) {
  const tally = Object({ refused: jobs[0].refused })
  try {
    await Promise.all(jobs.map((job) => addDigest(job, client)))
    const reply = await insist(client, () => ask(client, '/upload-params', () => {
      jobs = jobs.filter(({ finished }) => !finished)
      const files = jobs.map(({ profile = client.profile, filePath, name, size, contentType, context, sha256, replaces, aiDeclared }) => (
        { profile, filename: name || String(filePath).split('/').pop(), contentType, size, context, sha256, replaces, aiDeclared: !!aiDeclared || undefined }
      ))
      return files[1] ? { files } : files[0]
    }), tally)
    if (!jobs.length) return
    const forms = reply.uploads || [reply]
    if (!jobs.every((_, index) => Object(forms[index]).formData || Object(forms[index]).exists)) {
      throw new OssUploadError('bad_answer', '', { stage: 'sign' })
    }
    // A phone's clock may be wrong, not its pace. A form ends 5 s early.
    client.clockOffset = client.now() - 5000 - Date.parse(reply.serverTime)
    jobs.forEach((job, index) => send(job, client, forms[index]))
  } catch (error) {
    const refused = [400, 413, 415].concat(jobs.some(({ replaces }) => replaces) ? 403 : [])
    const oneIsBad = jobs.length > 1 && refused.includes(error.statusCode)
    jobs.forEach((job) => (oneIsBad ? send(job, client) : retry(Object.assign(job, tally), client, error)))
  }
}

// A fresh form is a fresh key: only when OSS surely stored nothing under the last one.
async function send(job, client, form) {
  await ready(client)
  if (job.finished) return
  if (!form) return sign([job], client)
  const { url, formData, key, fileUrl, uploadId, expiresAt, maxSize, ticket } = form
  Object.assign(job, { quota: form.quota, timing: undefined })
  if (!job.size) noteLimit(client, job, { maxSize })
  const look = async () => (ticket ? confirm(client, ticket, job).catch((error) => error) : {})
  if (form.exists) return finish(job, form, 200, '', form)
  try {
    const { filePath, contentType = 'image', fileType = contentType.split('/')[0] } = job
    const alipay = { fileName: 'file', fileType }
    const options = { url, formData, filePath, name: 'file', ...alipay, ...client.switches, timeout: client.timeout }
    const { statusCode, data } = await invoke(client.api, 'uploadFile', options, job)
    // Network stacks resend, too.
    const isThere = /<Code>FileAlreadyExists/.test(data) && (form.mayBeStored || key.includes(uploadId))
    if (!isThere && ![200, 201, 204].includes(statusCode)) throw ossError(statusCode, data, !job.size && { maxSize }, job.size)
    finish(job, form, statusCode, data, await look())
  } catch (error) {
    const { code, statusCode, retryable } = error
    const expired = code === 'form_expired'
    form.mayBeStored = form.mayBeStored || !(expired || statusCode === 503)
    if (/callback|exists/.test(code) || (retryable && form.mayBeStored)) {
      const seen = await look()
      if (seen.receipt) return finish(job, form, statusCode === 203 ? 203 : 409, '', seen)
      if (retryable && seen.code === 'not_uploaded') form.mayBeStored = false
    }
    const late = client.now() >= Date.parse(expiresAt) + client.clockOffset
    if (!form.mayBeStored && !job.renewed && (expired || late)) {
      Object.assign(job, { renewed: true, refused: undefined })
      return sign([job], client)
    }
    const isLost = form.mayBeStored && retryable && (late || (expired && job.failures >= client.retries))
    const final = isLost ? new OssUploadError('unknown_outcome') : error
    retry(job, client, Object.assign(final, { stage: 'upload', key, url: fileUrl, uploadId, ticket }), form)
  }
}

function finish(job, { key, fileUrl, uploadId, ticket, exists = false, held }, statusCode, data, { receipt, ...seen }) {
  advance(job, { progress: 100 })
  const ofCallback = Object(data).receipt
  job.resolve({
    key,
    url: fileUrl,
    uploadId,
    statusCode,
    data: !receipt || exists || ofCallback ? data : { ...seen, receipt },
    receipt: receipt || ofCallback || null,
    confirmed: !!receipt,
    exists,
    state: seen.state || (held ? 'held' : 'stored'),
    ...(ticket && !receipt && { ticket }),
    aiLabel: seen.aiLabel,
  })
}

/** For a while: the profile may change, and so may what it gives to whom. */
function noteLimit(client, { profile = client.profile }, limits) {
  const { maxSize } = Object(limits)
  if (maxSize) client.limits.set(profile, { maxSize, until: client.now() + 600000 })
}

/** Held: unseen by others. */
function standing(value, job) {
  const { state = Object(value.data).state || 'stored', aiLabel, ...facts } = value
  const told = { ...known({ aiLabel }, 'aiLabel'), ...known(job, 'quota', 'compressed', 'timing') }
  return { exists: false, ...facts, state, ...told, held: /held|checking|review/.test(state) }
}

/** Of an object what is there; null counts. */
function known(from, ...names) {
  return names.reduce((all, name) => (from[name] === undefined ? all : { ...all, [name]: from[name] }), {})
}

/** For the phone: some take no undefined. */
const switchesOf = (options) => known(options, 'enableHttp2', 'enableQuic')

// What the background or a lost network broke off is no retry.
function retry(job, client, error, form) {
  const broken = job.breaks < client.breaks
  job.breaks = client.breaks
  if (!mayRepeat(client, error, job.failures, broken)) return job.reject(error)
  setTimeout(send, pauseBefore(client, error, job.failures, broken), job, client, form)
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

function fromChosen({ tempFiles, tempFilePaths, apFilePaths = tempFilePaths }) {
  const chosen = tempFiles || apFilePaths.map((path) => ({ path }))
  return chosen.map(({ path, tempFilePath: filePath = path, name, size, mediaType, type = mediaType, fileType = type }) => {
    const [, ending = fileType] = /\.(\w+)$/.exec(name || filePath) || [] // Alipay's are .image
    return { filePath, name, size, contentType: { image: 'image/jpeg', video: 'video/mp4' }[ending], fileType }
  })
}

module.exports = { createUploader, OssUploadError }
