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
      encode(wanted).then(success)
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
    // Most screenshots could be seen through, by their header alone.
    const opaque = fileType === 'jpg' || isOpaque(canvas)
    const type = opaque ? 'image/jpeg' : 'image/png'
    const blob = await new Promise((done) => { canvas.toBlob(done, type, quality / 100) })
    if (!blob || blob.type !== type) throw new Error(`no ${type} of a canvas`)
    return { tempFilePath: typeof src === 'string' ? URL.createObjectURL(blob) : blob, opaque }
  } finally {
    image.close()
    canvas.width = 0 // gives its pixels back
  }
}

function isOpaque(canvas) {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  for (let at = 3; at < data.length; at += 4) if (data[at] < 255) return false
  return true
}

module.exports = { createCodec }
