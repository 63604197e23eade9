/** Photos of 12 megapixels as phones make them, made smaller in a page, and how near each comes to its original. */

import { createBrowserApi } from './browser.mjs'
import { shrink } from './smaller.mjs'

const [WIDTH, HEIGHT] = [4032, 3024]
const WINDOW = 8 // pixels, of SSIM

// From how a file lies to upright, by the orientation of EXIF.
const TURNS = [
  () => [1, 0, 0, 1, 0, 0],
  (width) => [-1, 0, 0, 1, width, 0],
  (width, height) => [-1, 0, 0, -1, width, height],
  (width, height) => [1, 0, 0, -1, 0, height],
  () => [0, 1, 1, 0, 0, 0],
  (width, height) => [0, 1, -1, 0, height, 0],
  (width, height) => [0, -1, -1, 0, height, width],
  (width) => [0, -1, 1, 0, 0, width],
]

const contextOf = (width, height) => new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })

/** The photo of a number, of about so many bytes, beside what `compress: true` makes of it. */
export async function measure(index, bytes) {
  const { blob, orientation, original } = await photoOf(index, bytes)
  const job = { filePath: blob, name: 'a.jpg', size: blob.size, progress: 0, compress: true }
  const began = performance.now()
  await shrink(job, { api: createBrowserApi() })
  const ms = Math.round(performance.now() - began)
  const image = await createImageBitmap(job.filePath)
  const { width, height } = image
  const seen = contextOf(width, height)
  seen.drawImage(image, 0, 0)
  const reds = [[9, 9], [width - 9, 9], [9, height - 9], [width - 9, height - 9]].map(([x, y]) => isRed(seen, x, y))
  const wanted = lanczos(lanczos(grayOf(original), width), height)
  return { ...job.compressed, orientation, ms, width, height, reds, ssim: ssim(wanted, grayOf(seen)) }
}

function isRed(context, x, y) {
  const [red, green, blue] = context.getImageData(x, y, 1, 1).data
  return red > 200 && green < 60 && blue < 60
}

async function photoOf(index, bytes) {
  const orientation = (index + 2) % 8 + 1
  const sides = orientation > 4 ? [HEIGHT, WIDTH] : [WIDTH, HEIGHT]
  const turn = new DOMMatrix(TURNS[orientation - 1](...sides))
  const file = contextOf(...sides)
  file.setTransform(turn.inverse())
  file.drawImage(draw(index), 0, 0)
  let [low, high, blob] = [0.4, 1, null]
  for (let tries = 0; tries < 6; tries += 1) {
    const quality = tries ? (low + high) / 2 : 1
    const made = await file.canvas.convertToBlob({ type: 'image/jpeg', quality })
    if (!blob || Math.abs(made.size - bytes) < Math.abs(blob.size - bytes)) blob = made
    if (made.size < bytes) low = quality
    else high = quality
  }
  const original = contextOf(WIDTH, HEIGHT)
  original.setTransform(turn)
  original.drawImage(await createImageBitmap(blob), 0, 0)
  return { orientation, original, blob: withOrientation(blob, orientation) }
}

function withOrientation(blob, orientation) {
  const exif = [0xff, 0xe1, 0, 34, 69, 120, 105, 102, 0, 0, 77, 77, 0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]
  return new Blob([blob.slice(0, 2), new Uint8Array(exif), blob.slice(2)], { type: blob.type })
}

/** A gradient, texture of five grains, forty lines of text, and a red corner above on the left. */
function draw(index) {
  let state = index + 1
  const dice = () => { state = (state * 48271) % 2147483647; return state / 2147483647 }
  const context = contextOf(WIDTH, HEIGHT)
  const sky = context.createLinearGradient(0, 0, WIDTH * dice(), HEIGHT)
  for (const stop of [0, 0.3, 0.7, 1]) sky.addColorStop(stop, `hsl(${360 * dice()} 60% ${30 + 40 * dice()}%)`)
  context.fillStyle = sky
  context.fillRect(0, 0, WIDTH, HEIGHT)
  const fine = 0.03 + 0.012 * index
  for (const [grain, alpha] of [[252, 0.35], [63, 0.25], [16, 0.18], [4, fine], [1, fine / 3]]) {
    context.globalAlpha = alpha
    context.drawImage(noiseOf(WIDTH / grain, HEIGHT / grain, dice), 0, 0, WIDTH, HEIGHT)
  }
  context.globalAlpha = 1
  for (let line = 0; line < 40; line += 1) {
    context.font = `${Math.floor(40 + 70 * dice())}px sans-serif`
    context.fillStyle = `hsl(${360 * dice()} 80% ${100 * dice()}%)`
    context.fillText(`Picture ${index} line ${line}: uploads 0123`, dice() * (WIDTH - 900), 120 + dice() * (HEIGHT - 120))
  }
  context.fillStyle = '#f00'
  context.fillRect(0, 0, 300, 200)
  return context.canvas
}

function noiseOf(width, height, dice) {
  const context = contextOf(width, height)
  const tile = context.createImageData(width, height)
  const pixels = new Uint32Array(tile.data.buffer)
  for (let at = 0; at < pixels.length; at += 1) pixels[at] = 0xff000000 + 0x10101 * Math.floor(256 * dice())
  context.putImageData(tile, 0, 0)
  return context.canvas
}

function grayOf(context) {
  const { width, height } = context.canvas
  const { data } = context.getImageData(0, 0, width, height)
  const pixels = Float32Array.from({ length: width * height }, (_, at) => 0.299 * data[4 * at] + 0.587 * data[4 * at + 1] + 0.114 * data[4 * at + 2])
  return { pixels, width, height }
}

/** Rows that are `to` pixels wide, by another way than a browser's; they come out as columns, so that twice is both. */
function lanczos({ pixels, width, height }, to) {
  const made = new Float32Array(to * height)
  const ratio = width / to
  const sinc = (x) => (x ? Math.sin(Math.PI * x) / (Math.PI * x) : 1)
  for (let column = 0; column < to; column += 1) {
    const middle = (column + 0.5) * ratio - 0.5
    const from = Math.max(Math.ceil(middle - 3 * ratio), 0)
    const end = Math.min(Math.floor(middle + 3 * ratio), width - 1)
    const weights = Array.from({ length: end - from + 1 }, (_, at) => (from + at - middle) / ratio).map((x) => sinc(x) * sinc(x / 3))
    const all = weights.reduce((sum, weight) => sum + weight, 0)
    for (let row = 0; row < height; row += 1) {
      let sum = 0
      for (let at = 0; at < weights.length; at += 1) sum += weights[at] * pixels[row * width + from + at]
      made[column * height + row] = sum / all
    }
  }
  return { pixels: made, width: height, height: to }
}

/** The mean of windows of 8 pixels, four apart. */
function ssim(one, other) {
  const { width, height } = one
  const [small, great] = [(0.01 * 255) ** 2, (0.03 * 255) ** 2]
  let [sum, count] = [0, 0]
  for (let top = 0; top + WINDOW <= height; top += 4) {
    for (let left = 0; left + WINDOW <= width; left += 4) {
      let [x, y, xx, yy, xy] = [0, 0, 0, 0, 0]
      for (let at = 0; at < WINDOW ** 2; at += 1) {
        const place = (top + (at >> 3)) * width + left + (at & 7)
        const [a, b] = [one.pixels[place], other.pixels[place]]
        x += a
        y += b
        xx += a * a
        yy += b * b
        xy += a * b
      }
      const [mx, my, mxx, myy, mxy] = [x, y, xx, yy, xy].map((each) => each / WINDOW ** 2)
      sum += ((2 * mx * my + small) * (2 * (mxy - mx * my) + great)) / ((mx * mx + my * my + small) * (mxx - mx * mx + myy - my * my + great))
      count += 1
    }
  }
  return sum / count
}
