const STOP = 0xda // of a JPEG: what follows is pixels
const ORIGIN = /AIGC|c2pa|[aA]lgorithmicMedia/ // labels of AI-made content, and other marks of origin
/** @type {any[][]} */
const SIGNATURES = [[/^\xff\xd8\xff/, 'image/jpeg'], [/^\x89PNG\r\n\x1a\n/, 'image/png']]

/** A JPEG or PNG by its bytes: its type ('' of all else), and if it is animated, not opaque, or says where it comes from. */
function inspect(buffer) {
  const bytes = new Uint8Array(buffer)
  const [, type = ''] = SIGNATURES.find(([mark]) => mark.test(textOf(bytes, 0, 8))) || []
  const blocks = type === 'image/jpeg' ? segmentsOf(bytes) : type ? chunksOf(bytes) : []
  const has = (name) => blocks.some((block) => block.name === name)
  return {
    type,
    animated: has('acTL'),
    opaque: type === 'image/jpeg' || !(has('tRNS') || [4, 6].includes(bytes[25])),
    marked: has('caBX') || blocks.some(({ from, to }) => ORIGIN.test(textOf(bytes, from, to))),
  }
}

/** What stands before the pixels. */
function segmentsOf(bytes) {
  const found = []
  for (let at = 2; bytes[at] === 0xff && bytes[at + 1] !== STOP;) {
    const to = at + 2 + 256 * bytes[at + 2] + bytes[at + 3]
    if (bytes[at + 1] >= 0xe0) found.push({ name: '', from: at + 4, to })
    at = bytes[at + 1] === 0xff ? at + 1 : to
  }
  return found
}

/** Pixels have no text; what is behind them counts as well. */
function chunksOf(bytes) {
  const found = []
  for (let at = 8; at + 8 <= bytes.length;) {
    const [name, from] = [textOf(bytes, at + 4, at + 8), at + 8]
    const to = from + new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0)
    found.push({ name, from, to: name === 'IDAT' ? from : to })
    at = to + 4
  }
  return found
}

function textOf(bytes, from, to) {
  let text = ''
  for (let at = from; at < Math.min(to, bytes.length); at += 4096) {
    text += String.fromCharCode.apply(null, Array.from(bytes.subarray(at, Math.min(at + 4096, to))))
  }
  return text
}

module.exports = { inspect }
