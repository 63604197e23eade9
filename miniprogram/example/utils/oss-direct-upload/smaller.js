const { attempt, invoke } = require('./calls')
const { openFile } = require('./pieces')
const { inspect } = require('./marks')

const MOST_TRIES = 4 // each from the original
const MOST_READ = 1024 ** 2 // bytes of a JPEG: what stands before its pixels
const MOST_PNG = 20 * 1024 ** 2
const TALL = 3 // times as long as it is wide: a screenshot that was scrolled, with text to be read
const PACE = 500 // ms for one percent, up to nine
let queue = Promise.resolve() // of all clients: a picture of 12 megapixels takes 48 MB
const stuck = new WeakSet() // platforms whose codec did not answer: it is not called again

/** Makes a job's picture smaller before a form is asked for; where that does not work, the original goes. */
function shrink(job, client) {
  const turn = queue.then(() => (job.finished ? undefined : change(job, client)))
  queue = turn.catch(() => {})
  return turn
}

async function change(job, { api }) {
  const { name = '', filePath } = job
  let [before, best, reason] = [job.size || 0, /** @type {any} */ (null), '']
  job.weight = before
  follow(job)
  try {
    const file = await open(api, filePath)
    before = file.size
    best = await smallest(job, file, api)
  } catch (error) {
    reason = error.detail || error.message
  }
  if (job.finished) return
  const { path = filePath, size: after = before, type = job.contentType } = best || {}
  if (best) Object.assign(job, { filePath: path, contentType: type, sha256: undefined })
  if (best && name) job.name = `${name.replace(/\.\w+$/, '')}.${type === 'image/png' ? 'png' : 'jpg'}`
  if (after) job.size = after
  job.compressed = { before, after, type, ...(reason && { reason }) }
  attempt(job.onCompressed, job.compressed)
}

/** Nothing is sent yet, but the progress does not stand still. */
function follow(job) {
  if (job.finished || job.compressed || job.progress > 8) return
  job.progress += 1
  attempt(job.onProgress, { progress: job.progress, loaded: 0, total: job.size || 0 })
  attempt(job.onChange)
  setTimeout(follow, PACE, job)
}

/** On H5 pages a path is a Blob, or its URL. */
async function open(api, path) {
  const filePath = api.blobOf ? await api.blobOf(path) : path
  return openFile({ filePath, size: undefined }, fsOf(api))
}

const fsOf = (api) => Object(api.getFileSystemManager && api.getFileSystemManager())

async function look({ size, read }, most) {
  return inspect(await read(0, Math.min(size, most)))
}

/** The smallest of what the codec makes, null for the original. */
async function smallest(job, file, api) {
  const { filePath: src } = job
  const { maxBytes = 1024 ** 2, maxSide = 2048, canvas: wantsCanvas = false } = Object(job.compress)
  const { type } = await look(file, 8)
  if (!type) return null
  const isPng = type === 'image/png'
  if (isPng && file.size > MOST_PNG) throw new Error('too large to be looked at')
  const found = await look(file, isPng ? MOST_PNG : MOST_READ)
  if (found.animated) return null
  if (found.marked && !job.aiDeclared) throw new Error('it says where it comes from')
  const { width, height, orientation = 'up' } = await invoke(api, 'getImageInfo', { src })
  const { least, first, sidesAt } = sidesOf(width, height, /left|right/.test(orientation), maxSide)
  if (first === 1 && file.size <= maxBytes) return null

  const made = []
  let [scale, quality, failure] = [first, 80, Object()]
  for (let tries = 0; tries < MOST_TRIES && !job.finished; tries += 1) {
    const wanted = { src, quality, ...sidesAt(scale), fileType: found.opaque ? 'jpg' : 'png' }
    const result = /** @type {any} */ (await tryOnce(api, wanted, found, wantsCanvas && orientation === 'up').catch((error) => { failure = error }))
    if (result) made.push(result)
    if (result && result.size <= maxBytes) break
    if (stuck.has(api) || (scale === least && (quality < 80 || !result))) break
    if (result && quality === 80) quality = 60
    else scale = result ? Math.max(least, scale * Math.min(0.9, 0.95 * Math.sqrt(maxBytes / result.size))) : least
  }
  const [best] = made.sort((one, other) => one.size - other.size)
  const isBetter = best && best.size < file.size && !job.finished
  const fs = fsOf(api)
  made.forEach(({ path }) => {
    if (fs.unlink && path !== src && !(isBetter && path === best.path)) invoke(fs, 'unlink', { filePath: path }).catch(() => {})
  })
  if (!best) throw failure
  return isBetter ? best : null
}

/** How far it may shrink, and what to ask for at a scale: the short side alone, which is right however a codec counts turned ones. */
function sidesOf(width, height, isTurned, maxSide) {
  const [short, long] = width < height ? [width, height] : [height, width]
  if (!(short > 0)) throw new Error('no size')
  const isTall = long > TALL * short
  const [side, most, floor] = isTall ? [short, Math.min(maxSide, 1080), 720] : [long, maxSide, 640]
  const [first, least] = [most, Math.min(floor, most)].map((each) => Math.min(1, each / side))
  const name = (width < height) === isTurned ? 'compressedHeight' : 'compressedWidth'
  return { first, least, sidesAt: (scale) => (scale < 1 ? { [name]: Math.floor(short * scale + 1e-6) } : {}) }
}

async function tryOnce(api, wanted, { type, opaque }, mayDraw) {
  const { tempFilePath: path, opaque: isOpaque = opaque } = await encode(api, wanted, mayDraw)
  const file = await open(api, path)
  const made = await look(file, 8)
  if (made.type !== type && !(isOpaque && made.type === 'image/jpeg')) throw new Error(`made of it: ${made.type || 'no picture'}`)
  return { path, size: file.size, type: made.type }
}

async function encode(api, wanted, mayDraw) {
  try {
    if (stuck.has(api) || !api.compressImage) throw new Error('no codec')
    return await invoke(api, 'compressImage', wanted)
  } catch (error) {
    if (error.code === 'timeout') stuck.add(api)
    if (!mayDraw) throw error
    return require('./canvas').drawOffscreen(api, wanted)
  }
}

module.exports = { shrink }
