'use strict'

/** `manage.py review` before a function that says what a test wants. */

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const os = require('node:os')
const path = require('node:path')
const { PICTURE } = require('./page')

const ROOT = path.join(__dirname, '../..')
const VENV_PYTHON = path.join(ROOT, '.venv/bin/python')
const SECRET = 'review-secret-0123456789abcdefghij'

/** Runs the command until `stop()`; `address` is what it printed. */
async function startReview(url, { reviewer = '小红', secret = SECRET } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'review-'))
  fs.writeFileSync(path.join(folder, '.env'), `RECEIPT_SECRET=${secret}\n`)
  const python = process.env.PYTHON || (fs.existsSync(VENV_PYTHON) ? VENV_PYTHON : 'python3')
  const options = ['--url', url, '--reviewer', reviewer, '--env-file', path.join(folder, '.env')]
  const { RECEIPT_SECRET, TOKEN_SECRET, ...env } = process.env
  const command = spawn(python, ['manage.py', 'review', ...options], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const address = await new Promise((resolve, reject) => {
    const listen = (chunk) => {
      said += chunk
      const [found] = said.match(/http:\/\/\S+#\S+(?=\s)/) || []
      if (found) resolve(found)
    }
    command.stdout.on('data', listen)
    command.stderr.on('data', listen)
    command.on('exit', () => reject(new Error(said)))
  })
  return {
    address,
    async stop() {
      const ended = new Promise((resolve) => { command.on('exit', resolve) })
      command.kill('SIGINT')
      await ended
      fs.rmSync(folder, { recursive: true })
    },
  }
}

/** A function that lists `items`, and what it was asked to decide; its own origin has the pictures. */
class FunctionThatSays {
  async start() {
    this.server = http.createServer((request, response) => this.answer(request, response))
    await new Promise((resolve) => { this.server.listen(0, '127.0.0.1', resolve) })
    this.origin = `http://127.0.0.1:${this.server.address().port}`
    this.forget()
    return this
  }

  forget() {
    Object.assign(this, { items: [], decided: [], lists: 0, says: {}, held: null, picture: PICTURE })
  }

  async answer(request, response) {
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const route = request.url.slice(1)
    if (route.startsWith('media/')) return this.send(response, route)
    const [status, body] = this.result(route, JSON.parse(Buffer.concat(chunks).toString()))
    await this.held
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    return undefined
  }

  send(response, name) {
    const file = { 'media/picture': [this.picture, 'image/png'], 'media/sound': [silence(), 'audio/wav'] }[name]
    if (file) response.writeHead(200, { 'content-type': file[1] }).end(file[0])
    else response.writeHead(403).end()
  }

  result(route, asked) {
    if (this.says[route]) return this.says[route](asked)
    if (route === 'reviews') {
      this.lists += 1
      const from = Number(asked.cursor || 0)
      const to = from + (this.longestPage || 20)
      const cursor = to < this.items.length ? String(to) : null
      return [200, { items: this.items.slice(from, to), cursor, serverTime: '2026-11-25T12:00:00Z' }]
    }
    this.decided.push(asked)
    const state = { publish: 'published', reject: 'rejected' }[asked.decision]
    this.items = this.items.filter(({ receipt }) => receipt !== asked.receipt)
    const { decision: action, reviewer } = asked
    return [200, { key: 'k', state, url: null, labels: [], decision: { action, by: 'backend', reviewer, at: '2026-11-25T12:00:00Z' } }]
  }

  add(number, changes = {}) {
    for (let count = 0; count < number; count += 1) {
      const id = this.items.length + 1
      this.items.push({
        key: `posts/a2b3/${id}.png`, profile: 'post', receipt: `receipt-${id}`, reason: 'label', by: 'wechat', labels: [20002],
        since: new Date(Date.now() - 3 * 3600e3).toISOString(), heldUntil: new Date(Date.now() + 20 * 3600e3).toISOString(),
        url: `${this.origin}/media/picture`, size: 68419, contentType: 'image/png', ...changes,
      })
    }
  }

  stop() {
    this.server.closeAllConnections?.()
    return new Promise((resolve) => { this.server.close(resolve) })
  }
}

/** A tenth of a second of it, as WAV. */
function silence() {
  const samples = Buffer.alloc(800, 128)
  const head = Buffer.from('RIFF    WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data    ', 'latin1')
  head.writeUInt32LE(head.length + samples.length - 8, 4)
  head.writeUInt32LE(samples.length, head.length - 4)
  return Buffer.concat([head, samples])
}

module.exports = { FunctionThatSays, SECRET, startReview }
