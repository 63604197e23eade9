'use strict'

/**
 * Pictures without pixels, and the codec of a phone for them. A picture says in a comment what it shows and how it lies; its
 * bytes are as many as such a picture has. The codec reads one and writes a smaller one, by the behaviour of a test.
 */

const fs = require('node:fs')
const path = require('node:path')

const HEADS = { heic: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0', 'latin1'), gif: Buffer.from('GIF89a'), webp: Buffer.from('RIFF\0\0\0\0WEBPVP8 ', 'latin1') }
const BYTES_A_PIXEL = { 80: 0.3, 60: 0.2 } // of a JPEG, by quality
const JPEG_END = Buffer.from([0xff, 0xda])
const PNG_START = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')

const segment = (marker, bytes) => {
  const head = Buffer.from([0xff, marker, 0, 0])
  head.writeUInt16BE(bytes.length + 2, 2)
  return Buffer.concat([head, bytes])
}

function chunk(name, bytes) {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(bytes.length)
  head.write(name, 4, 'latin1')
  return Buffer.concat([head, bytes, Buffer.alloc(4)])
}

/** `says`: more segments or chunks before the pixels, [marker or name, text]; `behind`: chunks behind them. */
function picture({ type = 'jpg', size, says = [], behind = [], alpha = false, ...shown }) {
  const facts = Buffer.from(JSON.stringify({ shows: 'a cat', orientation: 'up', type, size, ...shown }))
  const fill = (head, end = Buffer.alloc(0)) => Buffer.concat([head, Buffer.alloc(Math.max(size - head.length - end.length, 0)), end])
  if (type === 'jpg') {
    const segments = says.map(([marker, text]) => segment(marker, Buffer.from(text, 'latin1')))
    return fill(Buffer.concat([Buffer.from([0xff, 0xd8]), segment(0xfe, facts), ...segments, JPEG_END]))
  }
  if (type !== 'png') return fill(Buffer.concat([HEADS[type], facts]))
  const header = Buffer.alloc(13)
  header[9] = alpha ? 6 : 2
  const chunks = (list) => list.map(([name, text]) => chunk(name, Buffer.from(text, 'latin1')))
  const head = Buffer.concat([PNG_START, chunk('IHDR', header), chunk('tEXt', facts), ...chunks(says)])
  const end = Buffer.concat([...chunks(behind), chunk('IEND', Buffer.alloc(0))])
  return Buffer.concat([head, chunk('IDAT', Buffer.alloc(Math.max(size - head.length - end.length - 12, 0))), end])
}

const factsOf = (bytes) => JSON.parse(/\{"shows.*?\}/.exec(bytes.subarray(0, 4096).toString('latin1'))[0])

/** What it shows, upright. */
const uprightOf = ({ width, height, orientation }) => (/left|right/.test(orientation) ? [height, width] : [width, height])

/**
 * `compressImage` and `getImageInfo` of a phone. `behaviour`: `pixels(quality)` → bytes a pixel; `take(facts)` throws, or returns
 * facts to change; `wait` in ms; `sides: false`: it knows no sides.
 */
function addCodec(wx, folder, { pixels = (quality) => BYTES_A_PIXEL[quality], take = (facts) => facts, wait = 1, sides = true, path: pathOf } = Object()) {
  const codec = { calls: [], running: 0, mostRunning: 0, made: [] }
  const answer = (name, work, { success, fail }, after = wait) => setTimeout(() => {
    codec.running -= name === 'compressImage' ? 1 : 0
    try { success({ errMsg: `${name}:ok`, ...work() }) } catch ({ message }) { fail({ errMsg: `${name}:fail ${message}` }) }
  }, after)

  function getImageInfo(options) {
    answer('getImageInfo', () => {
      const { type, width, height, orientation } = factsOf(fs.readFileSync(options.src))
      if (type === 'heic') throw new Error('no such picture')
      return { width, height, orientation, type: { jpg: 'jpeg' }[type] || type, path: options.src }
    }, options, 1)
  }

  function compressImage(options) {
    const { src, quality, compressedWidth, compressedHeight } = options
    codec.calls.push({ src, quality, side: compressedWidth || compressedHeight })
    codec.running += 1
    codec.mostRunning = Math.max(codec.mostRunning, codec.running)
    if (wait === Infinity) return
    answer('compressImage', () => {
      const original = factsOf(fs.readFileSync(src))
      const [width, height] = uprightOf(original)
      const scale = sides ? compressedWidth / width || compressedHeight / height || 1 : 1
      const made = { ...original, width: Math.round(width * scale), height: Math.round(height * scale), orientation: 'up', quality }
      made.size = Math.round(made.width * made.height * pixels(quality))
      const tempFilePath = path.join(folder, pathOf ? pathOf(codec) : `tmp_${codec.made.length}.jpg`)
      fs.writeFileSync(tempFilePath, picture(take(made)))
      codec.made.push(tempFilePath)
      return { tempFilePath }
    }, options)
  }

  Object.assign(wx, { getImageInfo, compressImage })
  return codec
}

module.exports = { addCodec, factsOf, picture, uprightOf }
