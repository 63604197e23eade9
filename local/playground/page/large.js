/** Large files: which go in parts, what the page does with one, and what a reload has to go on with. */

import { begin, end, learn } from './part_row.js'
import { isLargeSample } from './samples.js'

const PARTS_FROM = 5 * 1024 ** 2 // bytes; as the client has it
const STORE_KEY = 'unfinished upload'

/** For what goes by a form. */
export const NOT_FOLLOWED = { onRequest: () => {}, onPart: () => {} }

export const goesInParts = ({ size }, { parts }) => parts && size >= PARTS_FROM

/** Follows the upload of `file` in its `parts`: what goes over the wire, `redraw()` after each. */
export function followParts({ parts, file, profile, redraw }) {
  const keep = () => remember(file, { profile, partSize: parts.partSize })

  function onRequest(options, res) {
    if (!/\/multipart(-parts)?$/.test(options.url) || res.statusCode !== 200) return
    learn(parts, file.size, JSON.parse(res.data))
    keep()
    redraw()
  }

  function onPart(number, isStored) {
    if (isStored === undefined) begin(parts, number)
    else end(parts, number, isStored)
    redraw()
  }

  keep()
  return { onRequest, onPart }
}

export function togglePause(parts, task) {
  parts.paused = !parts.paused
  if (parts.paused) task.pause()
  else task.resume()
}

/** For some seconds, whatever becomes of the upload meanwhile. */
export async function cutNetwork(parts, line, redraw) {
  parts.isCut = true
  redraw()
  await line.cut()
  parts.isCut = false
  redraw()
}

// For as long as the tab is open

const factsOf = ({ name, size, lastModified }) => ({ name, size, lastModified })

function remember(file, more) {
  sessionStorage.setItem(STORE_KEY, JSON.stringify({ file: factsOf(file), isSample: isLargeSample(file), ...more }))
}

/** What was not over when the page went: { file, isSample, profile, partSize }, or null. */
export const recall = () => JSON.parse(sessionStorage.getItem(STORE_KEY) || 'null')
export const forget = () => sessionStorage.removeItem(STORE_KEY)
export const isSame = (file, left) => JSON.stringify(factsOf(file)) === JSON.stringify(left.file)
