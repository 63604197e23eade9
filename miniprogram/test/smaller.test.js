'use strict'

/** smaller.js: pictures get smaller before a form is asked for, by codecs of every kind, or go as they are. */

const assert = require('node:assert/strict')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')
const { inspect } = require('../example/utils/oss-direct-upload/marks')
const { openStage, failureOf, until, testsOn } = require('./stage')
const { jsonError } = require('./servers')
const { addCodec, factsOf, picture, uprightOf } = require('./wx_pictures')

const MIB = 1024 ** 2
const PHOTO = { width: 4032, height: 3024, size: 5 * MIB }
const SCREENSHOT = { type: 'png', width: 1080, height: 20000, size: 4 * MIB }

/** A phone with a codec; `give(facts)` puts a picture on it, and uploads it. */
async function open(t, behaviour, options) {
  const stage = await openStage(t, { compress: true, ...options })
  const folder = path.dirname(stage.file('x').filePath)
  const codec = behaviour === null ? { calls: [], made: [] } : addCodec(stage.wx, folder, behaviour)
  const seen = []
  const put = (facts, name = `photo.${facts.type || 'jpg'}`) => ({ ...stage.file(name, picture(facts)), contentType: undefined })
  const give = async (facts, more) => {
    const file = { ...put(facts), onCompressed: (event) => seen.push(event), ...more }
    const before = fs.readFileSync(file.filePath)
    const value = await stage.uploader.upload(file).promise
    assert.ok(fs.readFileSync(file.filePath).equals(before), 'the original is untouched')
    assert.deepEqual(seen.at(-1), value.compressed)
    const bytes = stage.oss.objects.get(value.key)
    assert.equal(bytes.length, value.compressed.after)
    assert.deepEqual(stage.fc.signRequests().at(-1).body.size, bytes.length, 'the form was asked for with the new size')
    return { value, file, stored: factsOf(bytes), bytes, ...value.compressed, isOriginal: bytes.equals(before) }
  }
  return { ...stage, codec, give, put, seen }
}

const onStage = testsOn(open)

const isRight = ({ stored }) => assert.equal(stored.shows, 'a cat')

onStage('a photo gets smaller in one try, and form and result say so', async (stage) => {
  const { value, after, stored } = await stage.give(PHOTO)
  assert.deepEqual(value.compressed, { before: 5 * MIB, after, type: 'image/jpeg' })
  assert.ok(after <= MIB)
  assert.deepEqual([stored.width, stored.height, stored.quality], [2048, 1536, 80])
  assert.equal(stage.codec.calls.length, 1)
})

for (const [orientation, sides] of [['up', [2048, 1536]], ['down-mirrored', [2048, 1536]], ['right', [1536, 2048]], ['left-mirrored', [1536, 2048]]]) {
  onStage(`a photo that lies ${orientation} comes out upright, within the side`, async (stage) => {
    assert.deepEqual(uprightOf((await stage.give({ ...PHOTO, orientation })).stored), sides)
  })
}

for (const [name, facts, options] of [
  ['small enough', { width: 1000, height: 800, size: 900000 }],
  ['a GIF', { ...PHOTO, type: 'gif' }],
  ['a HEIC', { ...PHOTO, type: 'heic' }],
  ['a WebP', { ...PHOTO, type: 'webp' }],
  ['an animated PNG', { ...SCREENSHOT, says: [['acTL', '']] }],
  ['of a video', PHOTO, { fileType: 'video' }],
  ['switched off for itself', PHOTO, { compress: false }],
]) {
  onStage(`what is ${name} is left as it is, and no codec is asked`, async (stage) => {
    const file = { ...stage.put(facts), ...options }
    const { key } = await stage.uploader.upload(file).promise
    assert.ok(stage.oss.objects.get(key).equals(fs.readFileSync(file.filePath)))
    assert.deepEqual(stage.codec.calls, [])
  })
}

const LABELS = [
  ['a label in XMP', { says: [[0xe1, 'Exif'], [0xe1, 'http://ns.adobe.com/xap/1.0/\0<TC260:AIGC>{}']] }],
  ['C2PA', { says: [[0xeb, 'JP\0\0jumb c2pa']] }],
  ['a source that is an algorithm', { says: [[0xe1, 'digitalsourcetype/trainedAlgorithmicMedia']] }],
  ['a label behind the pixels of a PNG', { ...SCREENSHOT, behind: [['iTXt', 'XML:com.adobe.xmp\0 TC260:AIGC']] }],
  ['C2PA of a PNG', { ...SCREENSHOT, behind: [['caBX', 'x']] }],
]

for (const [name, facts] of LABELS) {
  onStage(`a picture with ${name} is left as it is, unless its form declares it`, { pixels: () => 0.04 }, async (stage) => {
    const kept = await stage.give({ ...PHOTO, ...facts })
    assert.ok(kept.isOriginal && kept.value.compressed.reason)
    assert.deepEqual(stage.codec.calls, [])
    const { isOriginal, after } = await stage.give({ ...PHOTO, ...facts }, { aiDeclared: true })
    assert.ok(!isOriginal && after <= MIB)
  })
}

test('marks are found in the headers alone, and broken headers end the search', () => {
  const says = (bytes) => inspect(bytes).marked
  assert.equal(says(picture({ ...PHOTO, size: 500, shows: 'a cat', says: [[0xe1, 'no']] })), false)
  assert.equal(says(Buffer.concat([picture({ ...PHOTO, size: 100 }), Buffer.from('AIGC')])), false)
  for (const bytes of ['', '\xff\xd8', '\xff\xd8\xff', '\xff\xd8\xff\xe1\0', '\xff\xd8\xff\xe1\0\0AIGC', '\x89PNG\r\n\x1a\n', '\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT']) {
    assert.equal(says(Buffer.from(bytes, 'latin1')), false)
  }
  assert.equal(inspect(picture({ ...SCREENSHOT, says: [['tRNS', '']] })).opaque, false)
})

// --- codecs

const kept = { isOriginal: true }
const CODECS = [
  ['that ignores the quality', { pixels: () => 0.4 }, PHOTO, { tries: 3 }],
  ['that knows no sides', { sides: false, pixels: (quality) => (quality === 80 ? 0.09 : 0.06) }, PHOTO, { tries: 2 }],
  ['whose result has no extension', { path: () => 'tmp_without' }, PHOTO, { tries: 1 }],
  ['that makes larger files', { pixels: () => 60 }, PHOTO, { ...kept, tries: 3 }],
  ['that gives the path back', { path: () => 'photo.jpg', take: () => ({ ...PHOTO }) }, PHOTO, { ...kept, tries: 4 }],
  ['that makes another type of a photo', { take: (facts) => ({ ...facts, type: 'webp' }) }, PHOTO, { ...kept, tries: 2 }],
  ['that fails', { take: () => { throw new Error('convert native buffer') } }, PHOTO, { ...kept, tries: 2 }],
  ['that fails above a size', { take: (facts) => { if (facts.width > 1000) throw new Error('memory'); return facts } }, PHOTO, { tries: 2 }],
  ['of a PC, which is none', null, PHOTO, { ...kept, tries: 0 }],
  ['of an iPhone, which takes no PNG,', { take: (facts) => { if (facts.type === 'png') throw new Error('png'); return facts } }, SCREENSHOT, { ...kept, tries: 2 }],
  ['that makes JPEGs of PNGs', { take: (facts) => ({ ...facts, type: 'jpg' }), pixels: () => 0.05 }, SCREENSHOT, { type: 'image/jpeg', name: 'photo.jpg' }],
  ['that makes JPEGs of PNGs one can see through', { take: (facts) => ({ ...facts, type: 'jpg' }) }, { ...SCREENSHOT, alpha: true }, { ...kept, tries: 2 }],
  ['that keeps PNGs', { pixels: () => 0.05 }, SCREENSHOT, { type: 'image/png' }],
]

for (const [name, behaviour, facts, { isOriginal = false, tries, type, name: called }] of CODECS) {
  onStage(`by a codec ${name} a picture ends ${isOriginal ? 'as the original' : 'small enough'}`, behaviour, async (stage) => {
    const found = await stage.give(facts)
    isRight(found)
    assert.equal(found.isOriginal, isOriginal)
    assert.ok(isOriginal || found.after <= MIB, `${found.after} bytes`)
    if (tries !== undefined) assert.equal(stage.codec.calls.length, tries)
    assert.ok(stage.codec.calls.every(({ src }) => src === found.file.filePath), 'each try is from the original')
    if (type) assert.deepEqual([found.type, stage.fc.signRequests().at(-1).body.contentType], [type, type])
    if (called) assert.equal(stage.fc.signRequests().at(-1).body.filename, called)
  })
}

onStage('a screenshot of 20,000 pixels stays wide enough to be read', { pixels: (quality) => quality / 800 }, async (stage) => {
  const { stored, after } = await stage.give({ width: 1242, height: 20000, size: 6 * MIB }, { compress: { maxBytes: 400 * 1024 } })
  assert.equal(stored.width, 720)
  assert.ok(after > 400 * 1024, 'the smallest that can be read goes')
  assert.ok(stage.codec.calls.length <= 4)
})

onStage('sides and bytes are those of the option, and four tries the most', { take: (facts) => ({ ...facts, size: 140000 + facts.width }) }, async (stage) => {
  const { stored, after } = await stage.give(PHOTO, { compress: { maxBytes: 100000, maxSide: 1200 } })
  assert.deepEqual(stage.codec.calls.map(({ quality }) => quality), [80, 60, 60, 60])
  assert.ok(stored.width >= 640 && stored.width < 1200)
  assert.equal(after, Math.min(...stage.codec.made.map((each) => fs.statSync(each).size)), 'the smallest is what goes')
})

onStage('files that lost are deleted, where the platform can', { pixels: () => 0.4 }, async (stage) => {
  const gone = []
  stage.wx.getFileSystemManager().unlink = ({ filePath, success }) => { gone.push(filePath); success({}) }
  const { value } = await stage.give(PHOTO)
  assert.deepEqual(gone, stage.codec.made.slice(0, 2))
  assert.ok(value.compressed.after)
})

onStage('pictures are made smaller one after the other, while others are sent', { wait: 20 }, async (stage) => {
  const files = Array.from({ length: 9 }, (_, index) => stage.put(PHOTO, `${index}.jpg`))
  const shown = []
  const results = await stage.uploader.uploadAll(files, { onProgress: ({ progress }) => shown.push(progress) })
  assert.ok(results.every(({ value }) => value && value.compressed.after <= MIB))
  assert.equal(stage.codec.mostRunning, 1)
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b), 'never back')
  assert.equal(shown.at(-1), 100)
})

test('the progress does not stand still meanwhile', async (t) => {
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait, ...args) => real(run, wait === 500 ? 5 : wait, ...args))
  const stage = await open(t, { wait: 100 })
  const shown = []
  await stage.give(PHOTO, { onProgress: ({ progress }) => shown.push(progress) })
  assert.deepEqual(shown.slice(0, 5), [1, 2, 3, 4, 5])
  assert.deepEqual(shown, [...shown].sort((a, b) => a - b))
})

onStage('abort ends it at once, the next waits until the codec is free, and no form is asked for', { wait: 60, pixels: () => 0.4 }, async (stage) => {
  const first = stage.uploader.upload(stage.put(PHOTO, 'a.jpg'))
  const second = stage.uploader.upload(stage.put(PHOTO, 'b.jpg'))
  await until(() => stage.codec.running)
  first.abort()
  assert.equal((await failureOf(first.promise)).code, 'aborted')
  const { key } = await second.promise
  assert.ok(stage.oss.objects.get(key).length <= MIB)
  assert.equal(stage.codec.mostRunning, 1)
  assert.equal(stage.codec.calls.filter(({ src }) => src.endsWith('a.jpg')).length, 1)
  assert.equal(stage.fc.signRequests().length, 1)
})

test('a codec that never answers is given up, once for all', async (t) => {
  const real = globalThis.setTimeout
  t.mock.method(globalThis, 'setTimeout', (run, wait, ...args) => real(run, wait === 20000 ? 50 : wait, ...args))
  const stage = await open(t, { wait: Infinity })
  for (const index of [1, 2]) {
    const { key } = await stage.uploader.upload(stage.put(PHOTO, `${index}.jpg`)).promise
    assert.equal(stage.oss.objects.get(key).length, PHOTO.size)
  }
  assert.equal(stage.codec.calls.length, 1)
})

// --- a canvas, where a page asks for it

function addCanvas(wx, folder, { alpha = 255 } = Object()) {
  const drawn = []
  wx.createOffscreenCanvas = ({ type, width, height }) => ({
    width, height, type,
    getContext: () => ({ drawImage: (image, ...where) => drawn.push(where), getImageData: () => ({ data: [0, 0, 0, alpha] }) }),
    createImage: () => Object.defineProperty({}, 'src', { set() { setImmediate(() => this.onload()) } }),
  })
  wx.canvasToTempFilePath = ({ destWidth, destHeight, fileType, quality, success }) => {
    const tempFilePath = path.join(folder, 'canvas.jpg')
    const made = { type: fileType, width: destWidth, height: destHeight, size: Math.round(destWidth * destHeight * quality * 0.3) }
    fs.writeFileSync(tempFilePath, picture(made))
    setImmediate(success, { tempFilePath })
  }
  return drawn
}

for (const [name, options, canvas, isOriginal] of [
  ['is drawn smaller where the page asks for it', { canvas: true }, {}, false],
  ['is not touched where the page does not ask', true, {}, true],
  ['that stays blank sends the original', { canvas: true }, { alpha: 0 }, true],
]) {
  onStage(`without a codec a canvas ${name}`, { take: () => { throw new Error('no') } }, { compress: options }, async (stage) => {
    delete stage.wx.compressImage
    const drawn = addCanvas(stage.wx, path.dirname(stage.put(PHOTO).filePath), canvas)
    const found = await stage.give(PHOTO)
    assert.equal(found.isOriginal, isOriginal)
    assert.equal(drawn.length > 0, options !== true)
    assert.ok((await stage.give({ ...PHOTO, orientation: 'right' })).isOriginal, 'what is turned might be turned twice')
  })
}

// --- limits

onStage('what a profile refused is refused without a request, with both sizes', null, async (stage) => {
  stage.fc.plan.sign.push(jsonError(413, 'too_large'))
  stage.fc.plan.sign[0].body.error.limits = { maxSize: 2 * MIB }
  for (const file of [stage.put(PHOTO, 'a.jpg'), stage.put(PHOTO, 'b.jpg')]) {
    const error = await failureOf(stage.uploader.upload(file).promise)
    assert.deepEqual([error.code, error.stage, error.limits.maxSize], ['too_large', 'sign', 2 * MIB])
    assert.deepEqual([error.compressed.before, error.compressed.after], [PHOTO.size, PHOTO.size])
  }
  assert.equal(stage.fc.signRequests().length, 1)
  await stage.uploader.upload(stage.put({ ...PHOTO, size: MIB }, 'c.jpg')).promise
  await stage.uploader.upload({ ...stage.put(PHOTO, 'd.jpg'), profile: 'other' }).promise
  stage.uploader.logOut()
  await stage.uploader.upload(stage.put(PHOTO, 'e.jpg')).promise
  assert.equal(stage.fc.signRequests().length, 4)
})

test('a form without a size says the limit as well, and it is forgotten after ten minutes', async (t) => {
  let time = Date.now()
  const stage = await open(t, null, { compress: false, now: () => time })
  await stage.uploader.upload({ ...stage.file(), size: undefined }).promise
  for (const later of [0, 300000]) { // its own refusals keep it no longer
    time += later
    assert.equal((await failureOf(stage.uploader.upload(stage.put(PHOTO)).promise)).code, 'too_large')
  }
  time += 300000
  await stage.uploader.upload(stage.put(PHOTO)).promise
  assert.equal(stage.fc.signRequests().length, 2)
})
