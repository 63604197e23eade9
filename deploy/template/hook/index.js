'use strict'

/**
 * What `s init` runs in a new project: `manage.py init` with the answers, so that both write the same files.
 *
 * Where that cannot run, neither file is there yet, but for a .env with the secret that the tool asked for.
 *
 * Source: https://manual.serverless-devs.com/user-guide/spec/ (hook)
 */

const { spawnSync } = require('node:child_process')
const path = require('node:path')

const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python', 'py']
const IS_NEW_ENOUGH = 'import sys; sys.exit(sys.version_info < (3, 11))'
const ASKED = ['LANGUAGE', 'OSS_BUCKET', 'OSS_REGION', 'CALLER_AUTH', 'FEATURES', 'WECHAT_APPID', 'WECHAT_SECRET']
const LEFT = {
  zh: '还没有 profiles.toml。请安装 Python 3.11 或更新的版本，在新项目里删掉 .env（如果有），再运行 make init',
  en: 'There is no profiles.toml yet. With Python 3.11 or newer, remove .env in the new project, if it is there, and run: make init',
}

// When it asks, the tool adds the secret answers to .env itself; when it is given them, it does not.
const isAsked = () => !process.argv.some((argument) => argument.startsWith('--parameters'))

async function preInit() {}

async function postInit({ appPath, fs, artTemplate }) {
  const file = path.join(appPath, '.env')
  const answers = answersFrom({ appPath, fs, artTemplate })
  if (!answers) return
  if (!isWrittenByInit(answers, appPath) && !fs.existsSync(file)) console.error(LEFT[answers.LANGUAGE] || LEFT.zh)
  if (answers.CALLER_AUTH === 'wechat' && isAsked()) leaveSecretToTheTool(file, fs)
}

/** What was answered; nothing with -y alone. The tool hands it out through a template only. */
function answersFrom({ appPath, fs, artTemplate }) {
  const name = '.env.answers'
  const file = path.join(appPath, name)
  // Before a secret is in it; writing into a file leaves its mode as it is.
  fs.writeFileSync(file, ASKED.map((each) => `{{ ${each} }}`).join('\n'), { mode: 0o600 })
  try {
    artTemplate(name)
    const lines = fs.readFileSync(file, 'utf8').split('\n')
    const answers = Object.fromEntries(ASKED.map((each, index) => [each, lines[index]]))
    // What nobody answered is written as a question to the tool's own store of secrets.
    if (/^\$\{secret/.test(answers.WECHAT_SECRET)) answers.WECHAT_SECRET = ''
    return answers
  } catch {
    return undefined
  } finally {
    fs.unlinkSync(file)
  }
}

function isWrittenByInit(answers, appPath) {
  const python = PYTHONS.find((name) => spawnSync(name, ['-c', IS_NEW_ENOUGH], { stdio: 'ignore' }).status === 0)
  const options = {
    bucket: answers.OSS_BUCKET, region: answers.OSS_REGION, 'caller-auth': answers.CALLER_AUTH,
    appid: answers.WECHAT_APPID, features: answers.FEATURES, lang: answers.LANGUAGE,
  }
  const given = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  // The secret is in no list of processes.
  const env = { ...process.env, WECHAT_SECRET: answers.WECHAT_SECRET, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' }
  const command = ['manage.py', 'init', '--yes', ...given]
  return Boolean(python) && spawnSync(python, command, { cwd: appPath, env, stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
}

/** The tool puts a line behind the last one: no other may name the secret, and its comment goes there. */
function leaveSecretToTheTool(file, fs) {
  const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''
  const [, comment = ''] = /^(# .*\n)?WECHAT_SECRET=/m.exec(text) || []
  const others = text.replace(/^(# .*\n)?WECHAT_SECRET=.*\n/m, '')
  fs.writeFileSync(file, `${others}${comment}`.trimEnd(), { mode: 0o600 })
}

module.exports = { preInit, postInit }
