import { invoke } from './calls.mjs'

const LONGEST = 16384 // pixels; some browsers can do less
const MOST_PIXELS = 4096 ** 2 // of Safari on iOS

/**
 * In a mini-program, where a page asks for it.
 * @param {any} wanted
 */
async function drawOffscreen(api, wanted) {
  const { src, quality, fileType } = wanted
  const info = await invoke(api, 'getImageInfo', { src })
  const { width, height } = sized(info, wanted)
  const canvas = api.createOffscreenCanvas({ type: '2d', width, height })
  const image = canvas.createImage()
  const load = ({ success, fail }) => { Object.assign(image, { onload: () => success({}), onerror: () => fail({ errMsg: 'load:fail' }), src }) }
  await invoke({ load }, 'load', {})
  draw(canvas, image, fileType === 'jpg')
  const all = { canvas, x: 0, y: 0, width, height, destWidth: width, destHeight: height }
  return invoke(api, 'canvasToTempFilePath', { ...all, fileType, quality: quality / 100 })
}

/** One side is given, or none. */
function sized({ width, height }, { compressedWidth, compressedHeight }) {
  const scale = compressedWidth ? compressedWidth / width : compressedHeight ? compressedHeight / height : 1
  const made = { width: Math.round(width * scale), height: Math.round(height * scale) }
  if (Math.max(made.width, made.height) > LONGEST || made.width * made.height > MOST_PIXELS) throw new Error('too large for a canvas')
  return made
}

/** A canvas that cannot do it stays blank, without an error: so it is looked at. */
function draw(canvas, image, isOpaque) {
  const { width, height } = canvas
  const context = canvas.getContext('2d')
  context.imageSmoothingQuality = 'high'
  context.drawImage(image, 0, 0, width, height)
  const alphas = [0.05, 0.35, 0.65, 0.95].map((part) => context.getImageData(Math.floor(part * width), Math.floor(part * height), 1, 1).data[3])
  if (isOpaque ? alphas.some((alpha) => alpha < 255) : !alphas.some((alpha) => alpha)) throw new Error('blank canvas')
}

export { draw, drawOffscreen, sized }
