/** A signed URL in words, and ways to spoil it: each changes one thing, and OSS refuses what comes of it. */

import { shortened } from './policy.js'

/** Each part as { written, said }, in the order of the URL. */
export function explainUrl(url, texts) {
  const { origin, pathname, searchParams } = new URL(url)
  const object = { written: origin + decodeURIComponent(pathname), said: texts.urlParts.object() }
  return [object, ...[...searchParams].map(([name, value]) => (
    { written: shortened(`${name}=${value}`, 110), said: (texts.urlParts[name] || texts.otherPart)(value, texts) }
  ))]
}

/** @type {[string, RegExp][]} Where one character is changed, time after time: the group before it stays. */
const PLACES = [
  ['key', /(^[^?]*\/)(\w)/],
  ['x-oss-expires', /([?&]x-oss-expires=\d*)(\d)/],
  ['x-oss-process', /([?&]x-oss-process=[^&]*_)(\d)/],
  ['x-oss-signature', /([?&]x-oss-signature=)(\w)/],
]

function changeOneCharacter(url, times) {
  const places = PLACES.filter(([, place]) => place.test(url))
  const [part, place] = places[times % places.length]
  const [, , from] = place.exec(url) || []
  const to = /\d/.test(from) ? String((Number(from) + 1) % 10) : from === 'a' ? 'b' : 'a'
  return { url: url.replace(place, `$1${to}`), how: (texts) => texts.oneCharacterHow(part, from, to) }
}

/** Each is { id, spoil(url, how often it was tried) → { url, how(texts) } }. */
export const SPOILINGS = [
  { id: 'oneCharacter', spoil: changeOneCharacter },
  { id: 'withoutSignature', spoil: (url) => ({ url: url.split('?')[0], how: (texts) => texts.withoutSignatureHow }) },
  {
    id: 'wholePicture',
    spoil: (url) => ({ url: url.replace(/x-oss-process=[^&]*&?/, ''), how: (texts) => texts.removed('x-oss-process') }),
  },
]
