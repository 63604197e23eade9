/** Files to try the page with, made by the page itself. */

/** The large one is the same each time: after a reload it counts as the file that it was. */
const LARGE = { name: 'large-sample.mp4', size: 24 * 1024 ** 2, type: 'video/mp4', changed: Date.UTC(2026, 10, 25) }

/** The sky of each sample, by how its name begins. */
const SKIES = { risky: ['#8f1d16', '#f0776d'], review: ['#8a5a00', '#ffcf70'], silent: ['#3b4654', '#a9b4c2'] }

export function drawSample(name = 'sample.png') {
  const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 200 })
  const paint = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'))
  const sky = paint.createLinearGradient(0, 0, 320, 200)
  const [dark, light] = SKIES[name.split('-')[0]] || ['#1769e0', '#7fd1ff']
  sky.addColorStop(0, dark)
  sky.addColorStop(1, light)
  paint.fillStyle = sky
  paint.fillRect(0, 0, 320, 200)
  paint.fillStyle = '#ffffff'
  paint.font = '600 40px sans-serif'
  paint.textAlign = 'center'
  paint.fillText('OSS', 160, 96)
  paint.font = '18px sans-serif'
  paint.fillText(new Date().toLocaleTimeString('en-GB'), 160, 132)
  return new Promise((resolve) => {
    canvas.toBlob((blob) => resolve(new File([/** @type {Blob} */ (blob)], name, { type: 'image/png' })))
  })
}

/** No video, but bytes that no two parts have alike. */
export function makeLargeSample() {
  const { name, size, type, changed } = LARGE
  const words = new Uint32Array(size / 4)
  let word = 1
  for (let index = 0; index < words.length; index += 1) {
    word ^= word << 13
    word ^= word >>> 17
    word ^= word << 5
    words[index] = word
  }
  return new File([words], name, { type, lastModified: changed })
}

export const isLargeSample = ({ name, lastModified }) => name === LARGE.name && lastModified === LARGE.changed
