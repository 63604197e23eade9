import { OssUploadError, ossError, platformError } from './errors.mjs'
import { ask, attempt, insist, invoke, persist, request, stop } from './calls.mjs'
import { createUploader } from './index.mjs'
import { createMeter, createShelf, createSlots, openFile } from './pieces.mjs'

/** createUploader, with large files in parts that go on after a new start. */
function createLargeUploader(options) {
  const { api, endpoint, user = '', partsFrom = 5 * 1024 ** 2, concurrency = 3, retries = 8 } = options
  const shelf = createShelf(api, `oss-direct-upload parts ${endpoint} ${user}`.trim())
  const most = Math.min(Math.max(concurrency, 1) || 1, 10)
  const pool = { retries, partsFrom, shelf, most, slots: createSlots(most) }

  function carry(job, client, byForm) {
    const fs = Object(api.getFileSystemManager && api.getFileSystemManager())
    const takes = !(job.size < partsFrom) && (job.filePath.arrayBuffer || fs.readFile)
    if (takes) sendInParts(job, client, pool, fs, byForm)
    return takes
  }

  const uploader = createUploader({ ...options, carry })

  function upload(file) {
    const job = Object(uploader.upload(file))
    const pause = () => { job.paused = true }
    const resume = () => { attempt(job.wake, job.paused = false) }
    return Object.assign(job, { pause, resume })
  }

  function logOut() {
    uploader.logOut()
    shelf.clear()
  }

  return { ...uploader, upload, logOut }
}

function sendInParts(job, phone, pool, fs, byForm) {
  const client = Object.assign(Object.create(phone), { retries: pool.retries, backoff: phone.backoff / 4 })
  const { api, now, timeout } = client
  const { filePath, profile = client.profile } = job
  const meter = createMeter(job, now)
  const flying = new Map()
  const sent = new Set()
  const waiting = []
  let asked, breaks, file, more, name
  let [kept, listed, until, loaded, refusals, restarts] = [Object(), new Map(), 0, 0, 0, 0]

  job.wake = () => waiting.splice(0).forEach((go) => go())
  job.task = { abort }
  run()

  async function run() {
    try {
      file = await openFile(job, fs)
      job.size = file.size
      name = pool.shelf.claim(file.name && [profile, file.size, file.name].join(' '))
      if (!(job.size >= pool.partsFrom && await call(begin))) return byForm()
      do await Promise.all(Array.from({ length: pool.most }, lane))
      while (!await call(complete))
    } catch (cause) {
      const { ticket, key, url, uploadId } = kept
      flying.forEach(stop)
      job.reject(Object.assign(platformError(cause, 'upload'), ticket && { stage: 'upload', key, url, uploadId }))
    } finally {
      pool.shelf.release(name)
    }
  }

  const call = (step) => persist(client, () => front().then(step).catch(lost), job)

  function end(error) {
    job.finished = 1
    throw error
  }

  async function lane() {
    while (await call(sendNext));
  }

  /** In front, online and not paused. */
  async function front() {
    while (!job.finished && (client.hidden || client.offline || job.paused)) {
      meter.rest()
      await new Promise((go) => [waiting, client.waiting].forEach((list) => list.push(go)))
    }
    if (job.finished) throw new OssUploadError('aborted')
    breaks = phone.breaks
  }

  async function lost(error) {
    if (error.code === 'interrupted') {
      const told = client.hidden || breaks < phone.breaks
      phone.breaks += 1
      if (!told) await new Promise((go) => { setTimeout(go, 5000, client.waiting.push(go)) })
    }
    throw error
  }

  function keep(state) {
    kept = state || kept
    pool.shelf.put(name, !job.finished && state)
  }

  /** False: only a form will do. */
  function begin() {
    kept = pool.shelf.get(name)
    job.aiDeclared = !!(job.aiDeclared || kept.aiDeclared) || undefined
    if (kept.ticket && kept.aiDeclared === job.aiDeclared) return renew()
    abort() // its ticket says for good that nothing is declared
    kept = Object()
    return start()
  }

  async function start() {
    const { size, contentType, context, replaces, aiDeclared, name: filename = filePath.name || String(filePath).split('/').pop() } = job
    try {
      const reply = await ask(client, '/multipart', () => ({ profile, filename, contentType, size, context, replaces, aiDeclared }))
      const { ticket, key, fileUrl: url, uploadId, partSize, headers, partCount } = reply
      job.quota = reply.quota
      keep({ ticket, key, url, uploadId, partSize, headers, aiDeclared })
      if (job.finished) abort()
      return list({ ...reply, missing: partCount })
    } catch (error) {
      if (/^(bad_request|not_found)$/.test(error.code)) return false
      throw error
    }
  }

  /** What OSS has is not sent again, though its answer was lost. */
  async function renew() {
    try {
      return list(await request(client, '/multipart-parts', { ticket: kept.ticket }))
    } catch (error) {
      return error.code === 'already_complete' ? list(Object({ parts: [], missing: 0 })) : anew(error)
    }
  }

  function anew(error) {
    const { statusCode, detail } = error
    restarts += 1
    if (job.finished || ![400, 403, 404, 410].includes(statusCode) || restarts > pool.retries) throw error
    keep()
    if (kept.completing && statusCode === 403) throw new OssUploadError('unknown_outcome', detail)
    return start()
  }

  function list({ parts, missing, expiresAt, serverTime }) {
    if (!parts) throw new OssUploadError('bad_answer')
    // Not what went through meanwhile.
    const left = parts.filter(({ number }) => !sent.has(number + kept.ticket))
    listed = new Map(left.map((part) => [part.number, part]))
    more = missing > parts.length
    // The phone's pace; not the last tenth.
    until = now() + 0.9 * (Date.parse(expiresAt) - Date.parse(serverTime))
    loaded = left.reduce((rest, { size }) => rest - size, job.size - (missing - parts.length) * kept.partSize)
    meter.tell(loaded)
    return true
  }

  async function next() {
    if (now() > until) [listed, more, until] = [new Map(), true, Infinity]
    const part = Array.from(listed.values()).find(({ number }) => !flying.has(number))
    if (part) flying.set(part.number, Object())
    if (part || !more) return part
    asked = asked || call(renew).catch(end).finally(() => { asked = null })
    if (!await asked) end(new OssUploadError('upload_gone'))
    return next()
  }

  async function sendNext() {
    const part = await next()
    if (!part) return false
    await pool.slots.take()
    try {
      if (!(job.finished || job.paused || client.hidden || now() > until)) await send(part)
      return true
    } finally {
      flying.delete(part.number)
      pool.slots.give()
    }
  }

  async function send({ number, size, url }) {
    const { ticket, headers, partSize } = kept
    try {
      const data = await file.read((number - 1) * partSize, size)
      const put = { url, method: 'PUT', header: headers, headers, data, dataType: 'text', ...client.switches, timeout }
      const answer = await invoke(api, 'request', put, flying.get(number))
      if (answer.statusCode !== 200) throw ossError(answer.statusCode, answer.data)
      refusals = 0
      sent.add(number + ticket)
      if (ticket === kept.ticket && listed.delete(number)) loaded += size
      meter.tell(loaded, size)
    } catch (error) {
      if (ticket === kept.ticket) listed.delete(number)
      more = true
      if (!(error.statusCode < 429)) throw error
      refuse(error)
    }
  }

  function refuse(error) {
    sent.clear()
    listed = new Map()
    refusals += 1
    if (refusals > 2 * pool.most) throw error
  }

  async function complete() {
    const { ticket, key, url, uploadId, completing } = kept
    keep({ ...kept, completing: true })
    try {
      const data = await request(client, '/multipart-complete', { ticket })
      keep()
      meter.tell(job.size, 0, 100)
      job.task = null
      job.resolve({ key, url, uploadId, statusCode: 200, data, receipt: data.receipt, confirmed: true, aiLabel: data.aiLabel })
      return true
    } catch (error) {
      more = error.code === 'incomplete'
      if (more || (error.statusCode < 500 && !completing)) keep({ ...kept, completing: false })
      if (more) refuse(error)
      else if (!await anew(error)) throw error
      return false
    }
  }

  function abort() {
    flying.forEach(stop)
    job.wake()
    const { ticket } = kept
    if (!ticket) return
    keep()
    insist(client, () => request(client, '/multipart-abort', { ticket }), {}).catch(() => {})
  }
}

export { createLargeUploader }
