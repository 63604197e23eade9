const { draw, sized } = require('./canvas')

/** For H5 pages, what a mini-program has: pictures are Blobs, or their URLs. */
function createCodec() {
  return {
    blobOf,
    getImageInfo: ({ src, success, fail }) => {
      decode(src).then((image) => {
        const { width, height } = image
        image.close()
        success({ width, height, orientation: 'up' }) // turned when it was decoded
      }).catch(({ message }) => fail({ errMsg: `getImageInfo:fail ${message}` }))
    },
    compressImage: ({ success, fail, ...wanted }) => {
      encode(wanted).then((tempFilePath) => success({ tempFilePath }))
        .catch(({ message }) => fail({ errMsg: `compressImage:fail ${message}` }))
    },
  }
}

const blobOf = async (src) => (typeof src === 'string' ? (await fetch(src)).blob() : src)

const decode = async (src) => createImageBitmap(await blobOf(src), { imageOrientation: 'from-image' })

/** @param {any} wanted */
async function encode(wanted) {
  const { src, quality, fileType } = wanted
  const image = await decode(src)
  const canvas = document.createElement('canvas')
  try {
    Object.assign(canvas, sized(image, wanted))
    draw(canvas, image, fileType === 'jpg')
    const type = fileType === 'jpg' ? 'image/jpeg' : 'image/png'
    const blob = await new Promise((done) => { canvas.toBlob(done, type, quality / 100) })
    if (!blob || blob.type !== type) throw new Error(`no ${type} of a canvas`)
    return typeof src === 'string' ? URL.createObjectURL(blob) : blob
  } finally {
    image.close()
    canvas.width = 0 // gives its pixels back
  }
}

module.exports = { createCodec }
