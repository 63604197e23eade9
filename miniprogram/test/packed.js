'use strict'

/** The package as npm would publish it: packed here, installed elsewhere, without the network. */

const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

const PACKAGE = path.join(__dirname, '../example/utils/oss-direct-upload')
let packed
let installed

function npm(cwd, ...args) {
  const done = spawnSync('npm', args, { cwd, encoding: 'utf8', shell: process.platform === 'win32' })
  if (done.status !== 0) throw new Error(`npm ${args.join(' ')}: ${done.stderr}`)
  return done.stdout
}

/** Packed once a process: { file, names, folder }, the tarball and what npm says is in it. */
function pack() {
  if (packed) return packed
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'packed-'))
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }))
  const [{ filename, files }] = JSON.parse(npm(folder, 'pack', '--json', PACKAGE))
  packed = { folder, file: path.join(folder, filename), names: files.map(({ path: name }) => name).sort() }
  return packed
}

/** npm installs once a process: a project with the tarball among its dependencies. */
function installOnce() {
  if (installed) return installed
  installed = path.join(pack().folder, 'installed')
  fs.mkdirSync(installed)
  fs.writeFileSync(path.join(installed, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0', private: true }))
  npm(installed, 'install', '--offline', '--no-audit', '--no-fund', pack().file)
  return installed
}

/** A project of its own with these files, and all that npm installed. */
function install(t, files = {}) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'with-package-')))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  fs.cpSync(installOnce(), folder, { recursive: true })
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true })
    fs.writeFileSync(path.join(folder, name), text)
  }
  return folder
}

module.exports = { PACKAGE, install, pack }
