const SAMPLE = 65536 // bytes
const SLICE = 2 ** 19 // bytes at a time: a phone without a JIT needs a third of a second for them
const SHIFTS = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]]
const SINES = Array.from({ length: 64 }, (_, index) => Math.floor(2 ** 32 * Math.abs(Math.sin(index + 1))) | 0)

/** A name by content, which no path and no time changes: the size, and the MD5 of five samples. A hint, no proof. */
async function nameOf({ size, read }) {
  const starts = [0, size / 4, size / 2, 3 * size / 4, size - SAMPLE].map((at) => Math.max(Math.floor(at), 0))
  const samples = Array()
  for (const at of new Set(starts)) samples.push(new Uint8Array(await read(at, Math.min(SAMPLE, size - at))))
  const all = new Uint8Array(samples.reduce((sum, { length }) => sum + length, 0))
  samples.reduce((at, sample) => { all.set(sample, at); return at + sample.length }, 0)
  return `${size}-${await md5(all.buffer)}`
}

/** In upper case, as ETags are; between slices the phone may do something else. */
async function md5(buffer) {
  const { byteLength } = buffer
  const whole = byteLength - byteLength % 64
  let state = [0x67452301, 0xefcdab89 | 0, 0x98badcfe | 0, 0x10325476]
  for (let at = 0; at < whole; at += SLICE) {
    if (at) await new Promise((go) => { setTimeout(go) })
    state = mix(state, new DataView(buffer, at, Math.min(SLICE, whole - at)))
  }
  const rest = new Uint8Array(byteLength % 64 < 56 ? 64 : 128)
  rest.set(new Uint8Array(buffer, whole))
  rest[byteLength % 64] = 128
  const end = new DataView(rest.buffer)
  end.setUint32(rest.length - 8, byteLength * 8, true)
  end.setUint32(rest.length - 4, byteLength / 2 ** 29, true)
  state = mix(state, end)
  const words = new DataView(new ArrayBuffer(16))
  state.forEach((word, index) => words.setInt32(4 * index, word, true))
  return Array.from(new Uint8Array(words.buffer), (byte) => byte.toString(16).padStart(2, '0')).join('').toUpperCase()
}

/** RFC 1321. */
function mix(state, view) {
  let [a0, b0, c0, d0] = state
  const words = new Int32Array(16)
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let index = 0; index < 16; index += 1) words[index] = view.getInt32(at + 4 * index, true)
    let [a, b, c, d] = [a0, b0, c0, d0]
    for (let index = 0; index < 64; index += 1) {
      const round = index >> 4
      const mixed = round === 0 ? (b & c) | (~b & d) : round === 1 ? (d & b) | (~d & c) : round === 2 ? b ^ c ^ d : c ^ (b | ~d)
      const word = words[round === 0 ? index : ([0, 5, 3, 7][round] * index + [0, 1, 5, 0][round]) & 15]
      const sum = (a + mixed + SINES[index] + word) | 0
      const shift = SHIFTS[round][index & 3]
      a = d
      d = c
      c = b
      b = (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0
    }
    a0 = (a0 + a) | 0
    b0 = (b0 + b) | 0
    c0 = (c0 + c) | 0
    d0 = (d0 + d) | 0
  }
  return [a0, b0, c0, d0]
}

/**
 * Of a header or a list, whatever its case and quotes; '' where a browser hides it.
 * @param {any} said
 */
function etagIn({ header, headers = header, etag }) {
  const [, found = etag] = Object.entries(Object(headers)).find(([name]) => /^etag$/i.test(name)) || []
  return String(found || '').replace(/"/g, '').toUpperCase()
}

export { etagIn, md5, nameOf }
