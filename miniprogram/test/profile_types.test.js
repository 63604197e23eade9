'use strict'

/** What `python3 manage.py types` writes, as tsc uses it: a misspelt profile or variant is a mistake. */

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')
const { mistakesIn } = require('./type_check')

const ROOT = path.join(__dirname, '../..')
const PACKAGE = path.join(ROOT, 'miniprogram/example/utils/oss-direct-upload')

const PAGE = `
import { createUploader } from 'oss-direct-upload'
import { filesFrom } from 'oss-direct-upload/browser'
import { createLargeUploader } from 'oss-direct-upload/parts'
import type { Profiles } from './profiles'

const endpoint = 'https://upload.example.com'
const uploader = createUploader<Profiles>({ endpoint, api: {}, profile: 'album', digest: { album: 'default' } })
const large = createLargeUploader<Profiles>({ endpoint, api: {}, profile: 'video' })
uploader.upload({ filePath: 'a.jpg', profile: 'avatar' })
uploader.uploadAll(filesFrom([]), { onFile: ({ value }) => value?.key })
uploader.uploadAll([...uploader.fromChosen({}).map((file) => ({ ...file, profile: 'avatar' as const })), { filePath: 'b.jpg' }])
uploader.read('uploads/a.jpg', { variant: 'thumb' })
large.upload({ filePath: 'a.mp4', profile: 'video' })
large.read(['videos/a.mp4'], { variant: 'cover' })
`

// Each with the word that no profile or variant is called.
const MISTAKES = [
  ["createUploader<Profiles>({ endpoint, api: {}, profile: 'defualt' })", 'defualt'],
  ["createUploader<Profiles>({ endpoint, api: {}, digest: { album: 'avatr' } })", 'avatr'],
  ["createUploader<Profiles>({ endpoint, api: {}, digest: { albun: 'default' } })", 'albun'],
  ["createLargeUploader<Profiles>({ endpoint, api: {}, profile: 'vidoe' })", 'vidoe'],
  ["uploader.upload({ filePath: 'a.jpg', profile: 'avater' })", 'avater'],
  ["uploader.uploadAll([{ filePath: 'a.jpg', profile: 'avater' }])", 'avater'],
  ["uploader.read('uploads/a.jpg', { variant: 'thum' })", 'thum'],
  ["uploader.read(['uploads/a.jpg'], { variant: 'thum' })", 'thum'],
  ["large.upload({ filePath: 'a.mp4', profile: 'vidoe' })", 'vidoe'],
  // Pages of classic forms do without the client.
  ["uploader.upload({ filePath: 'a.jpg', profile: 'legacy' })", 'legacy'],
]

/** A folder with the package, the types of the local cloud's profiles, and a page: what tsc says of it. */
function openProject(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'profile-types-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  fs.cpSync(PACKAGE, path.join(folder, 'node_modules/oss-direct-upload'), { recursive: true })
  const made = spawnSync(process.env.PYTHON || 'python3', [
    'manage.py', 'types', 'local/demo/profiles.toml', '--output', path.join(folder, 'profiles.d.ts'),
  ], { cwd: ROOT, encoding: 'utf8' })
  assert.equal(made.status, 0, made.stderr)
  return (text) => {
    fs.writeFileSync(path.join(folder, 'page.ts'), text)
    return mistakesIn(folder, ['page.ts'], { lib: ['es2022', 'dom'], module: 'esnext', moduleResolution: 'bundler' })
  }
}

test('a misspelt profile or variant fails tsc, and nothing else does', (t) => {
  const mistakesOf = openProject(t)
  assert.deepEqual(mistakesOf(PAGE), [])
  const lines = MISTAKES.map(([line]) => `${line}\n`)
  const said = mistakesOf(PAGE + lines.join(''))
  assert.equal(said.length, MISTAKES.length, said.join('\n'))
  MISTAKES.forEach(([line, word], index) => assert.match(said[index], new RegExp(word), line))
})
