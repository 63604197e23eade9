'use strict'

/** What both contestants share: the file, the phone, the network, and what is told at the end as one line of JSON. */

const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { createWx } = require('../../../miniprogram/test/wx')
const { createUplink } = require('./unsteady_network')

const MIB = 2 ** 20
const PERCENT = 30
const BYTES_PER_SECOND = 4 * MIB
const MILLISECONDS = 30 // until an answer
const MOST_STARTS = 20

/** Arguments: a seed and the size in MiB. `contestant(setting)` → { upload, stored, stop }. */
async function main(contestant) {
  const [seed, mebibytes] = process.argv.slice(2).map(Number)
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'large-file-'))
  const size = mebibytes * MIB
  const filePath = path.join(folder, 'film.mp4')
  fs.writeFileSync(filePath, crypto.randomBytes(size))
  const counts = { requests: 0, faults: 0, partBytes: 0 }
  const network = { uplink: createUplink(BYTES_PER_SECOND), seed, percent: PERCENT, milliseconds: MILLISECONDS, counts }
  const phone = createWx()
  const { upload, stored, stop } = await contestant({ phone, network, film: { filePath, size } })
  try {
    const began = performance.now()
    const starts = await untilStored(upload)
    const seconds = (performance.now() - began) / 1000
    if (!stored().equals(fs.readFileSync(filePath))) throw new Error('what is stored is not the file')
    console.log(JSON.stringify({ seconds, starts, size, again: counts.partBytes - size, requests: counts.requests, faults: counts.faults }))
  } finally {
    phone.close()
    await stop()
    fs.rmSync(folder, { recursive: true })
  }
}

/** As a user does: again, when it was given up. */
async function untilStored(upload) {
  for (let starts = 1; ; starts += 1) {
    try {
      await upload()
      return starts
    } catch (error) {
      if (starts === MOST_STARTS) throw error
    }
  }
}

module.exports = { main }
