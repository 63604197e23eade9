const { OssUploadError, ossError, platformError } = require('./errors')
const { appOf, ask, attempt, insist, invoke, persist, request, stop } = require('./calls')
const { createUploader } = require('./index')
const { etagIn, md5, nameOf } = require('./content')
const { createMeter, createShelf, createSlots, openFile } = require('./pieces')

/** createUploader, with large files in parts that go on after a new start. */
function createLargeUploader(options) {
  const { api, endpoint, user = '', partsFrom = 5 * 1024 ** 2, concurrency = 3, retries = 8 } = options
  const shelf = createShelf(api, `oss-direct-upload large ${endpoint} ${appOf(api) || ''} ${user}`.trim())
  attempt(api.removeStorageSync, `oss-direct-upload parts ${endpoint} ${user}`.trim()) // of earlier versions: by path
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

const MOST_URLS = 20 // in an answer, and parts of an earlier run
const MOST_LISTED = 1000

function sendInParts(job, phone, pool, fs, byForm) {
  const client = Object.assign(Object.create(phone), { retries: pool.retries, backoff: phone.backoff / 4 })
  const { api, now, timeout } = client
  const { filePath, profile = client.profile, context, replaces } = job
  const asks = JSON.stringify([context, replaces])
  const meter = createMeter(job, now)
  const flying = new Map()
  const sent = new Set()
  const checks = new Map() // parts of an earlier run, to compare
  const again = new Set() // and those that have other bytes
  const known = new Set() // parts that are these bytes, for sure
  const waiting = []
  let asked, breaks, compares, file, isWhole, more, name, probed, resumed
  let [kept, listed, until, loaded, refusals, restarts, rounds] = [Object(), new Map(), 0, 0, 0, 0, 0]

  job.wake = () => waiting.splice(0).forEach((go) => go())
  job.task = { abort }
  run()

  async function run() {
    try {
      file = await openFile(job, fs)
      job.size = file.size
      if (!(job.size > 0 && job.size >= pool.partsFrom)) return byForm()
      name = pool.shelf.claim(`${profile} ${await nameOf(file)}`)
      if (!await call(begin)) return byForm()
      do await Promise.all(Array.from({ length: pool.most }, (_, index) => lane(index === 0)))
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

  /** One compares while the others send. */
  async function lane(compareFirst) {
    while (await call(() => sendNext(compareFirst)));
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
    resumed = compares = !!kept.ticket && kept.aiDeclared === job.aiDeclared && kept.asks === asks
    if (resumed) return renew()
    abort() // its ticket says other things for good
    kept = Object()
    return start()
  }

  async function start() {
    [checks, again, known].forEach((each) => each.clear())
    resumed = compares = isWhole = false
    const { size, contentType, context, replaces, aiDeclared, name: filename = filePath.name || String(filePath).split('/').pop() } = job
    try {
      const reply = await ask(client, '/multipart', () => ({ profile, filename, contentType, size, context, replaces, aiDeclared }))
      const { ticket, key, fileUrl: url, uploadId, partSize, headers, partCount } = reply
      job.quota = reply.quota
      keep({ ticket, key, url, uploadId, partSize, headers, aiDeclared, asks, from: file.name })
      if (job.finished) abort()
      return list({ ...reply, missing: partCount })
    } catch (error) {
      if (/^(bad_request|not_found)$/.test(error.code)) return false
      throw error
    }
  }

  /** Of the parts to send again, those that are not under way. */
  const due = () => Array.from(again).filter((number) => !flying.has(number))

  /** What OSS has is not sent again, though its answer was lost. */
  async function renew() {
    const numbers = due().slice(0, MOST_URLS)
    const { ticket } = kept
    try {
      const asksFor = { ticket, ...(numbers[0] && { numbers }), ...(compares && { stored: true }) }
      const reply = await request(client, '/multipart-parts', asksFor)
      if (compares) await note(Array().concat(reply.stored || []))
      return list(reply, numbers[0])
    } catch (error) {
      isWhole = error.code === 'already_complete'
      return isWhole ? list(Object({ parts: [], missing: 0 })) : anew(error)
    }
  }

  /** What OSS has of an earlier run, a thousand parts a page; a part of another size is missing anyway. */
  async function note(stored) {
    const { ticket } = kept
    for (let page = stored; page.length === MOST_LISTED;) {
      const storedAfter = page[page.length - 1].number
      page = Array().concat((await request(client, '/multipart-parts', { ticket, stored: true, storedAfter })).stored || [])
      stored = stored.concat(page)
    }
    compares = false
    stored.filter(({ number, size }) => !known.has(number) && size === sizeOf(number)).forEach((part) => checks.set(part.number, part))
    if (!stored[0]) Array.from({ length: count() }, (_, index) => known.has(index + 1) || again.add(index + 1)) // an older function
  }

  const count = () => Math.ceil(job.size / kept.partSize)
  const sizeOf = (number) => Math.min(kept.partSize, job.size - (number - 1) * kept.partSize)
  const bytesOf = (number) => file.read((number - 1) * kept.partSize, sizeOf(number))

  /** Its ETag says that it is these bytes, or it is sent again. */
  async function compare({ number, etag }) {
    const isSame = await md5(await bytesOf(number)) === etagIn({ etag })
    if (!checks.delete(number)) return
    if (isSame) known.add(number)
    else sendAgain(number)
    meter.tell(loaded)
  }

  function sendAgain(number) {
    again.add(number)
    loaded -= sizeOf(number)
    more = true
  }

  /** A bucket whose ETags are no MD5s, such as an encrypted one, proves nothing. */
  async function probe(etag, data) {
    if (probed || !checks.size) return
    probed = true
    if (!etag || etag === await md5(data)) return
    checks.forEach((_, number) => sendAgain(number))
    checks.clear()
  }

  function anew(error) {
    const { statusCode, detail } = error
    restarts += 1
    if (job.finished || ![400, 403, 404, 410].includes(statusCode) || restarts > pool.retries) throw error
    keep()
    if (kept.completing && statusCode === 403) throw new OssUploadError('unknown_outcome', detail)
    return start()
  }

  function list({ parts, missing, expiresAt, serverTime }, ofAgain = 0) {
    if (!parts) throw new OssUploadError('bad_answer')
    // Not what went through meanwhile.
    const left = parts.filter(({ number }) => !sent.has(number + kept.ticket))
    listed = new Map(left.map((part) => [part.number, part]))
    more = ofAgain > 0 || due().length > 0 || missing > parts.length
    // The phone's pace; not the last tenth.
    until = now() + 0.9 * (Date.parse(expiresAt) - Date.parse(serverTime))
    if (!ofAgain) {
      const rest = left.reduce((sum, { size }) => sum + size, (missing - parts.length) * kept.partSize)
      loaded = job.size - rest - Array.from(again).reduce((sum, number) => sum + sizeOf(number), 0)
    }
    meter.tell(loaded)
    return true
  }

  async function next(compareFirst) {
    if (now() > until) [listed, more, until] = [new Map(), true, Infinity]
    const lists = compareFirst && probed ? [checks, listed] : [listed, checks]
    const [part] = lists.map((each) => Array.from(each.values()).find(({ number }) => !flying.has(number))).filter(Boolean)
    if (part) flying.set(part.number, Object())
    if (part || !more) return part
    asked = asked || call(renew).catch(end).finally(() => { asked = null })
    if (!await asked) end(new OssUploadError('upload_gone'))
    return next(compareFirst)
  }

  async function sendNext(compareFirst) {
    const part = await next(compareFirst)
    if (!part) return false
    await pool.slots.take()
    try {
      if (part.etag) await compare(part)
      else if (!(job.finished || job.paused || client.hidden || now() > until)) await send(part)
      return true
    } finally {
      flying.delete(part.number)
      pool.slots.give()
    }
  }

  async function send({ number, size, url }) {
    const { ticket, headers } = kept
    try {
      const data = await bytesOf(number)
      const put = { url, method: 'PUT', header: headers, headers, data, dataType: 'text', ...client.switches, timeout }
      const answer = await invoke(api, 'request', put, flying.get(number))
      if (answer.statusCode !== 200) throw ossError(answer.statusCode, answer.data)
      refusals = 0
      sent.add(number + ticket)
      if (ticket === kept.ticket) {
        if (listed.delete(number)) loaded += size
        again.delete(number)
        known.add(number)
        await probe(etagIn(answer), data)
      }
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
    const isUnsure = resumed && known.size < count()
    if (isUnsure && !isWhole) {
      rounds += 1
      if (rounds > pool.retries) throw new OssUploadError('incomplete')
      compares = more = true
      return false
    }
    keep({ ...kept, completing: true })
    try {
      const data = await request(client, '/multipart-complete', { ticket })
      keep()
      // Complete since an earlier run, of a file of another path: its ETag is made of its parts'.
      if (isUnsure && !(file.name && kept.from === file.name) && data.etag !== await etagOfAll()) {
        if (!await start()) throw new OssUploadError('upload_gone')
        return false
      }
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

  async function etagOfAll() {
    const etags = Array()
    for (let number = 1; number <= count(); number += 1) etags.push(await md5(await bytesOf(number)))
    const text = Uint8Array.from(etags.join(''), (letter) => letter.charCodeAt(0))
    return `${await md5(text.buffer)}-${etags.length}`
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

module.exports = { createLargeUploader }
