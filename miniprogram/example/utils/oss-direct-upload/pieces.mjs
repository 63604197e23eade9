import { OssUploadError } from './errors.mjs'
import { attempt, invoke } from './calls.mjs'

const MOST_OF_READ_FILE = 100 * 1024 ** 2 // bytes; some platforms take no larger file
const MOST_KEPT = 20 // unfinished uploads
const MARKS = 9 // stored pieces that the speed is taken from

/** A file as it is now: its size, a `name` that no other file has ('' where nothing tells it), and `read`. */
async function openFile({ filePath, size }, fs) {
  if (filePath.arrayBuffer) return openBlob(filePath)
  const { stats } = fs.stat ? await invoke(fs, 'stat', { path: filePath }).catch(Object) : Object()
  const { size: found = size, lastModifiedTime = '' } = Object(stats)
  const pieceOf = fs.open && found > MOST_OF_READ_FILE ? readOpened : readFile
  const read = (position, length) => whole(pieceOf(fs, filePath, position, length), length)
  return { size: found, name: `${filePath} ${lastModifiedTime}`, read }
}

function openBlob(blob) {
  const { size, name, lastModified } = blob
  const read = (position, length) => whole(blob.slice(position, position + length).arrayBuffer(), length)
  return { size, name: lastModified ? `${name} ${lastModified}` : '', read }
}

async function readFile(fs, filePath, position, length) {
  return (await invoke(fs, 'readFile', { filePath, position, length })).data
}

// Opened for each piece: no descriptor has to outlive the background.
async function readOpened(fs, filePath, position, length) {
  const { fd } = await invoke(fs, 'open', { filePath, flag: 'r' })
  try {
    const wanted = { fd, arrayBuffer: new ArrayBuffer(length), offset: 0, length, position }
    const { bytesRead, arrayBuffer } = await invoke(fs, 'read', wanted)
    return bytesRead === length && arrayBuffer
  } finally {
    invoke(fs, 'close', { fd }).catch(() => {})
  }
}

/** Every byte: a read that fails or ends early is an error, never a shorter part. */
async function whole(reading, length) {
  let detail = 'short read'
  const bytes = await reading.catch((error) => { detail = error.detail || error.message })
  if (Object(bytes).byteLength !== length) throw new OssUploadError('file_unreadable', detail)
  return bytes
}

/** Where unfinished uploads were, by name, across starts of the app; what cannot be stored is simply not known. */
function createShelf(api, storeKey) {
  const claimed = new Set()
  const all = () => Object(attempt(api.getStorageSync, storeKey))

  /** '' where another upload of the same file is under way. */
  function claim(name) {
    if (claimed.has(name)) return ''
    claimed.add(name)
    return name
  }

  function put(name, state) {
    const { [name]: old, ...others } = all()
    Object.keys(others).slice(0, 1 - MOST_KEPT).forEach((each) => delete others[each])
    if (name && (state || old)) attempt(api.setStorageSync, storeKey, { ...others, ...(state && { [name]: state }) })
  }

  const get = (name) => Object(all()[name])
  const clear = () => attempt(api.removeStorageSync, storeKey)
  return { claim, release: (name) => claimed.delete(name), get, put, clear }
}

/** Tells a job's progress, never back: bytes that are stored, bytes a second, seconds left. */
function createMeter(job, now) {
  let [sent, marks] = [0, Array()]

  function tell(loaded, more = 0, most = 99) {
    if (job.finished) return
    sent += more
    marks = [...marks, [now(), sent]].slice(-MARKS)
    const [[began, before]] = marks
    const speed = Math.round(1000 * (sent - before) / Math.max(now() - began, 1))
    job.loaded = Math.max(job.loaded || 0, loaded)
    job.progress = Math.max(job.progress, Math.min(Math.floor(100 * job.loaded / job.size), most))
    const timeLeft = speed ? Math.ceil((job.size - job.loaded) / speed) : null
    attempt(job.onProgress, { progress: job.progress, loaded: job.loaded, total: job.size, speed, timeLeft })
    attempt(job.onChange)
  }

  return { tell, rest: () => { marks = [] } }
}

/** At most so many pieces at once: each is a buffer in the phone's memory. */
function createSlots(free) {
  const waiting = Array()

  async function take() {
    while (!free) await new Promise((go) => { waiting.push(go) })
    free -= 1
  }

  function give() {
    free += 1
    waiting.splice(0, 1).forEach((go) => go())
  }

  return { take, give }
}

export { openFile, createShelf, createMeter, createSlots }
