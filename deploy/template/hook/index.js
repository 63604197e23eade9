'use strict'

/**
 * What `s init` runs in a new project: it writes .env out of the answers, and makes the secret of the tokens.
 *
 * Source: https://manual.serverless-devs.com/user-guide/spec/ (hook)
 */

const crypto = require('node:crypto')
const path = require('node:path')

// When it asks, the tool adds the secret answers to .env itself; when it is given them, it does not.
const isAsked = () => !process.argv.some((argument) => argument.startsWith('--parameters'))

async function preInit() {}

async function postInit({ appPath, fs, artTemplate }) {
  const file = path.join(appPath, '.env')
  // Before a secret is in it; writing into a file leaves its mode as it is, replacing it does not.
  fs.chmodSync(file, 0o600)
  try {
    artTemplate('.env')
  } catch {
    // With -y alone nothing was asked: what is to be filled in stands in the example.
    fs.writeFileSync(file, fs.readFileSync(path.join(appPath, '.env.example')))
  }
  const lines = fs.readFileSync(file, 'utf8').split('\n').map((line) => {
    if (line === 'TOKEN_SECRET=') return `TOKEN_SECRET=${crypto.randomBytes(32).toString('base64url')}`
    // What nobody answered is written as a question to the tool's own store of secrets.
    if (line.startsWith('WECHAT_SECRET=${')) return 'WECHAT_SECRET='
    return line
  })
  const kept = isAsked() ? lines.filter((line) => !/^WECHAT_SECRET=./.test(line)) : lines
  fs.writeFileSync(file, kept.join('\n'))
}

module.exports = { preInit, postInit }
