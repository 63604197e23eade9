/**
 * What is known of each part of an upload, told by what goes over the wire.
 *
 * `parts` is { row, partSize, … }; a part of the row is { state, times }: 'waiting', 'sending' or 'done', and how
 * often this page has sent it. A part that is done and was sent 0 times was there before this page.
 */

export function newParts(partSize = 0) {
  return { row: /** @type {any[]} */ ([]), partSize, paused: false, isCut: false, speed: 0, timeLeft: null }
}

/** From an answer of /multipart or /multipart-parts: the first parts that OSS lacks, and how many it lacks in all. */
export function learn(parts, fileSize, { partCount, partSize, parts: listed, missing = partCount }) {
  if (partCount || !parts.row.length) {
    parts.partSize = partSize || parts.partSize || listed[0]?.size || fileSize
    const length = Math.ceil(fileSize / parts.partSize)
    parts.row = Array.from({ length }, () => ({ state: 'waiting', times: 0 }))
  }
  const lacking = new Set(listed.map(({ number }) => number))
  const known = missing > lacking.size ? Math.max(...lacking) : parts.row.length
  parts.row.slice(0, known).forEach((part, index) => {
    // What is done stays so: it may have gone through while the answer was on its way.
    if (part.state === 'waiting' && !lacking.has(index + 1)) part.state = 'done'
  })
}

export function begin(parts, number) {
  const part = parts.row[number - 1]
  Object.assign(part, { state: 'sending', times: part.times + 1 })
}

export function end(parts, number, isStored) {
  parts.row[number - 1].state = isStored ? 'done' : 'waiting'
}

export const countDone = ({ row }) => row.filter(({ state }) => state === 'done').length
export const countSent = ({ row }) => row.reduce((sum, { times }) => sum + times, 0)
