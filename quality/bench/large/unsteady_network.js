'use strict'

/**
 * A bad network before one server: so many bytes a second up, some time for each answer, and of a hundred requests so many
 * fail, in four ways by turns of chance: the connection ends in the middle of the request; it ends instead of the answer,
 * when all was done; a 500; and for a signed URL of a part a 403 as for one that is over. The same seed, the same chances.
 */

const http = require('node:http')

const EXPIRED = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Request has expired.</Message>'
  + '<RequestId>5F0000000000000000000001</RequestId></Error>'
const FAILED = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>'

/** One uplink for all that is sent through it. */
function createUplink(bytesPerSecond) {
  let free = 0
  return async (bytes) => {
    const now = performance.now()
    free = Math.max(now, free) + 1000 * bytes / bytesPerSecond
    if (free - now > 2) await new Promise((go) => { setTimeout(go, free - now) })
  }
}

function chances(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** `counts` gains: requests, faults, and the bytes of parts that travelled, whatever became of them. */
async function startUnsteady(target, { uplink, seed, percent, milliseconds, counts }) {
  const chance = chances(seed)
  const server = http.createServer(async (request, response) => {
    const { socket } = request
    const isPart = request.method === 'PUT'
    const fails = chance() * 100 < percent
    const way = Math.floor(chance() * 4)
    counts.requests += 1
    counts.faults += fails
    request.on('error', () => {})
    const body = await receive(request, { uplink, isPart, counts, half: fails && way === 0 })
    if (!body) { socket.destroy(); return }
    await new Promise((go) => { setTimeout(go, milliseconds) })
    if (fails && way >= 2) {
      response.writeHead(isPart && way === 3 ? 403 : 500, { 'content-type': 'application/xml' }).end(isPart && way === 3 ? EXPIRED : FAILED)
      return
    }
    const answer = await forward(target, request, body)
    if (fails) socket.destroy()
    else response.writeHead(answer.status, answer.headers).end(answer.body)
  })
  await new Promise((go) => { server.listen(0, '127.0.0.1', go) })
  const stop = () => { server.close(); server.closeAllConnections() }
  return { origin: `http://127.0.0.1:${server.address().port}`, stop }
}

/** The body, or nothing where the connection is to end in the middle of it. */
async function receive(request, { uplink, isPart, counts, half }) {
  const length = Number(request.headers['content-length'] || 0)
  const chunks = []
  let received = 0
  try {
    for await (const chunk of request) {
      received += chunk.length
      if (isPart) counts.partBytes += chunk.length
      chunks.push(chunk)
      await uplink(chunk.length)
      if (half && received >= length / 2) return null
    }
  } catch (error) {
    return null // the client has given up
  }
  return half ? null : Buffer.concat(chunks)
}

function forward(target, { method, url, headers }, body) {
  return new Promise((resolve, reject) => {
    const { connection, 'transfer-encoding': chunked, ...kept } = headers
    const sent = http.request(target + url, { method, headers: { ...kept, 'content-length': body.length } }, (answer) => {
      const chunks = []
      answer.on('data', (chunk) => chunks.push(chunk))
      answer.on('end', () => {
        const { connection: closed, 'transfer-encoding': sliced, 'content-length': length, ...answered } = answer.headers
        resolve({ status: answer.statusCode, headers: answered, body: Buffer.concat(chunks) })
      })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

module.exports = { createUplink, startUnsteady }
