/** Files to try the page with, made by the page itself. */

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
