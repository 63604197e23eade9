'use strict'

/** The project's own local cloud (function, STS, WeChat, OSS) as a child process. */

const { spawn } = require('node:child_process')
const crypto = require('node:crypto')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')

const ROOT = path.join(__dirname, '../..')
const VENV_PYTHON = path.join(ROOT, '.venv/bin/python')

/** `project`: a folder whose own files it runs, at the rates that they say, instead of the samples. */
async function startLocalCloud({ callerRate = '100000/min', project = '', options = [] } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'local-oss-'))
  const python = process.env.PYTHON || (fs.existsSync(VENV_PYTHON) ? VENV_PYTHON : 'python3')
  const samples = project ? [] : ['--demo', '--caller-rate', callerRate, '--login-rate', callerRate]
  const serve = spawn(
    python,
    ['manage.py', 'serve', '--json', '--folder', folder, ...samples, ...options],
    { cwd: project || ROOT, env: { ...process.env, PORT: '0' }, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const errors = []
  serve.stderr.on('data', (chunk) => errors.push(chunk))
  const ended = new Promise((resolve) => { serve.on('exit', resolve) })
  const addresses = await firstLine(serve, ended, errors)
  const fileOf = (key, bucket = '') => path.join(folder, bucket, crypto.createHash('sha256').update(key).digest('hex'))
  return {
    ...addresses,
    plan: (origin, fault) => switchFaults(origin, 'PUT', fault),
    clear: (origin) => switchFaults(origin, 'DELETE'),
    judge: (mood) => send(`${addresses.wechat}/-/check`, 'PUT', mood),
    release: () => send(`${addresses.wechat}/-/check/waiting`, 'POST'),
    stored: () => fs.readdirSync(folder).filter(isObject).map((name) => fs.readFileSync(path.join(folder, name))),
    object: (key) => fs.readFileSync(fileOf(key)),
    archived: (key) => fs.readFileSync(fileOf(key, 'local-archive')),
    holds: (key) => fs.existsSync(fileOf(key)),
    stop: async () => {
      serve.kill('SIGTERM')
      await ended
      fs.rmSync(folder, { recursive: true, force: true })
    },
  }
}

// Not what is on its way in, nor a part: either may be gone before it is read.
const isObject = (name) => /^[0-9a-f]{64}$/.test(name)

async function firstLine(serve, ended, errors) {
  const lines = readline.createInterface({ input: serve.stdout })
  const line = await Promise.race([new Promise((resolve) => { lines.once('line', resolve) }), ended])
  if (typeof line !== 'string') throw new Error(`manage.py serve ended at once:\n${Buffer.concat(errors)}`)
  return JSON.parse(line)
}

const switchFaults = (origin, method, fault) => send(`${origin}/-/faults`, method, fault)

async function send(url, method, value) {
  const body = value && JSON.stringify(value)
  const response = await fetch(url, { method, body, headers: { 'content-type': 'application/json' } })
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`)
}

module.exports = { startLocalCloud }
