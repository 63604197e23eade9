'use strict'

/**
 * What `s init` runs in a new project: `manage.py init` with the answers, so that both write the same files.
 *
 * Where that cannot run, .env is the example with the answers, and there is no profiles.toml yet.
 *
 * Source: https://manual.serverless-devs.com/user-guide/spec/ (hook)
 */

const { spawnSync } = require('node:child_process')
const crypto = require('node:crypto')
const path = require('node:path')

const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python', 'py']
const IS_NEW_ENOUGH = 'import sys; sys.exit(sys.version_info < (3, 11))'
const ASKED = ['LANGUAGE', 'OSS_BUCKET', 'OSS_REGION', 'CALLER_AUTH', 'FEATURES', 'WECHAT_APPID', 'WECHAT_SECRET']
const LEFT = {
  zh: '还没有 profiles.toml，.env 里只有你填的内容。请安装 Python 3.11 或更新的版本，在新项目里删掉 .env，再运行 make init',
  en: 'There is no profiles.toml yet, and .env has the answers alone. With Python 3.11 or newer, remove .env in the new project and run: make init',
}

// When it asks, the tool adds the secret answers to .env itself; when it is given them, it does not.
const isAsked = () => !process.argv.some((argument) => argument.startsWith('--parameters'))

async function preInit() {}

async function postInit({ appPath, fs, artTemplate }) {
  const file = path.join(appPath, '.env')
  const answers = answersFrom({ appPath, fs, artTemplate })
  const hasBoth = answers && isWrittenByInit(answers, appPath)
  if (!hasBoth && !fs.existsSync(file)) {
    const example = fs.readFileSync(path.join(appPath, '.env.example'), 'utf8')
    fs.writeFileSync(file, filledIn(example, answers), { mode: 0o600 })
    if (answers) console.error(LEFT[answers.LANGUAGE] || LEFT.zh)
  }
  if (answers && answers.CALLER_AUTH === 'wechat' && isAsked()) leaveSecretToTheTool(file, fs)
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

function filledIn(example, answers) {
  const values = { TOKEN_SECRET: crypto.randomBytes(32).toString('base64url'), ...(answers && { STS_ROLE_ARN: '', ...answers }) }
  return example.replace(/^([A-Z_]+)=.*$/gm, (line, name) => (name in values ? `${name}=${values[name]}` : line))
}

/** The tool puts a line behind the last one: no other may name the secret, and its comment goes there. */
function leaveSecretToTheTool(file, fs) {
  const text = fs.readFileSync(file, 'utf8')
  const [, comment = ''] = /^(# .*\n)?WECHAT_SECRET=/m.exec(text) || []
  const others = text.replace(/^(# .*\n)?WECHAT_SECRET=.*\n/m, '')
  fs.writeFileSync(file, `${others}${comment}`.trimEnd())
}

module.exports = { preInit, postInit }
