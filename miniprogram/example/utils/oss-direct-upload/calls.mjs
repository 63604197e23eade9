import { platformError, functionError } from './errors.mjs'

const IDLE = 60000 // ms without progress: a dead connection ends before its timeout

/** Adds the SHA-256 of a file, where the platform tells it. */
async function addDigest(job, { api, digest, profile = 'default' }) {
  const without = Object(digest)[job.profile || profile]
  if (!without || job.sha256 || job.finished) return
  try {
    const wanted = { filePath: job.filePath, digestAlgorithm: 'sha256' }
    const { size, digest: found } = await invoke(api.getFileSystemManager(), 'getFileInfo', wanted)
    if (size && /^[0-9a-f]{64}$/i.test(found)) Object.assign(job, { size, sha256: found.toLowerCase() })
  } catch (error) {
    // It goes on without.
  }
  if (!job.sha256) job.profile = without
}

/** Calls by the rules of the uploads: what may pass is tried again. */
async function persist(client, call, job = Object()) {
  const tally = Object.create(job)
  for (let failures = 0; ;) {
    await ready(client)
    const { breaks } = client
    try {
      return await insist(client, call, tally)
    } catch (error) {
      const broken = breaks < client.breaks
      const mayPass = mayRepeat(client, error, failures, broken) && !(error.statusCode < 429) // 404, 409, 410: not by this call
      if (job.finished || !mayPass) throw error
      await sleep(pauseBefore(client, error, failures, broken))
      if (!broken) failures += 1
    }
  }
}

/** Repeats a call while no instance is free: five attempts with every error in between, not counted as `retries`. */
async function insist(client, call, tally) {
  try {
    return await call()
  } catch (error) {
    const { stage = '', retryable, retryAfter = 0 } = error
    const { finished, refused: { [stage]: count = 0, ...others } = Object() } = tally // the login has five of its own
    if (finished || count > 3 || !retryable || !isBusy(client, error)) throw error
    tally.refused = { ...others, [stage]: count + 1 }
    await sleep(1000 * Math.max(2 ** count * (0.7 + 0.6 * Math.random()), retryAfter)) // spread: all were refused at once
    await ready(client)
    return insist(client, call, tally)
  }
}

/** A browser may hide the status of such a refusal, which has no CORS headers. */
const isBusy = ({ offline }, { code, opaque }) => code === 'busy' || (opaque && !offline)

function mayRepeat(client, error, failures, broken) {
  if (!error.retryable || error.code === 'busy') return false
  return broken || (failures < client.retries && !isBusy(client, error))
}

const sleep = (milliseconds) => new Promise((go) => { setTimeout(go, milliseconds) })

function pauseBefore({ backoff }, { retryAfter }, failures, broken) {
  return Math.max(broken ? 0 : backoff * 2 ** failures * (0.5 + Math.random()), 1000 * retryAfter || 0)
}

/** In front and online, or `timeout` is over. */
async function ready({ hidden, offline, timeout, waiting }) {
  let timer = 0
  if (hidden || offline) await new Promise((go) => { timer = setTimeout(go, timeout, waiting.push(go)) })
  clearTimeout(timer)
}

/** A request with the caller's token; `body()` may say that there is no more need. */
async function ask(client, path, body, stage = 'sign', refresh = false) {
  const { getToken = logIn } = client
  let step = 'login'
  try {
    await ready(client)
    if (!body()) return undefined
    const token = await getToken({ refresh }, client)
    step = stage
    const wanted = body()
    return wanted && await request(client, path, wanted, token)
  } catch (cause) {
    const error = Object.assign(platformError(cause, 'login'), { stage: step })
    if (error.statusCode !== 401 || step === 'login' || refresh) throw error
    return ask(client, path, body, stage, true)
  }
}

/** The AppID. */
const appOf = ({ getAccountInfoSync }) => Object(Object(attempt(getAccountInfoSync)).miniProgram).appId

/** The built-in login; a token ends a minute early. */
async function logIn({ refresh }, client) {
  const { api, now, storageKey, login } = client
  if (!api.login) return ''
  const kept = login.session || attempt(api.getStorageSync, storageKey)
  if (!refresh && Object(kept).until > now()) return kept.token
  try {
    login.asked = login.asked || invoke(api, 'login', {}).then(({ code }) => request(client, '/login', { code, app: appOf(api) }))
    const { token, expiresIn } = await login.asked
    login.session = { token, until: now() + (expiresIn - 60) * 1000 }
    if (login === client.login) attempt(api.setStorageSync, storageKey, login.session)
  } catch (error) {
    if (error.statusCode !== 404) throw error
    login.session = { token: '', until: Infinity } // no login here
  } finally {
    login.asked = null
  }
  return login.session.token
}

async function request({ api, endpoint }, path, body, token, job) {
  const url = endpoint.replace(/\/*$/, path)
  const header = { 'content-type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }
  const options = { url, method: 'POST', header, headers: header, data: JSON.stringify(body) }
  const answer = await invoke(api, 'request', options, job)
  if (answer.statusCode !== 200) throw functionError(answer)
  return Object(answer.data)
}

/** Always settles. On Alipay `status`, and `fail` for a 4xx. */
async function invoke(api, method, { timeout = 20000, ...options }, job = Object()) {
  let [timer, idle] = [0, 0]
  try {
    return await new Promise((resolve, reject) => {
      const success = (res) => resolve({ statusCode: res.status, ...res, data: parseJson(res.data) })
      const fail = (res) => (res.status || res.statusCode ? success : reject)(res)
      const timed = (settle) => (res) => {
        if (method === 'uploadFile') job.timing = timingOf(res)
        settle(res)
      }
      timer = setTimeout(reject, timeout, { errMsg: 'timeout' })
      const task = Object(api[method]({ ...options, timeout, success: timed(success), fail: timed(fail) }))
      job.task = task
      Promise.resolve(task).catch(() => {}) // Taro's
      const heard = () => {
        clearTimeout(idle)
        idle = setTimeout(reject, IDLE, { errMsg: 'timeout: no progress' })
      }
      if (method !== 'uploadFile' || !task.onProgressUpdate) return
      heard()
      task.onProgressUpdate((event) => {
        heard()
        advance(job, event, 99) // sent is not stored
      })
    })
  } catch (failure) {
    stop(job)
    throw platformError(failure, method, options.url)
  } finally {
    clearTimeout(timer)
    clearTimeout(idle)
  }
}

/** When each step began and ended, without addresses. */
function timingOf(res) {
  const keep = (name, value) => (/^(protocol)?$/.test(name) || (name !== 'port' && /number|boolean/.test(typeof value)) ? value : undefined)
  return Object(res).profile ? JSON.parse(JSON.stringify(res.profile, keep)) : undefined
}

function advance(job, event, most = 100) {
  if (job.finished) return
  job.progress = Math.max(job.progress, Math.min(event.progress, most)) // never back
  job.bytes = job.size || event.totalBytesExpectedToSend || event.totalBytesExpectedToWrite || job.bytes || 0
  const loaded = Math.floor(job.bytes * job.progress / 100)
  if (job.size) job.loaded = loaded
  attempt(job.onProgress, { progress: job.progress, loaded, total: job.bytes })
  attempt(job.onChange)
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

export { addDigest, appOf, persist, insist, mayRepeat, pauseBefore, ready, ask, request, invoke, advance, stop, attempt }
