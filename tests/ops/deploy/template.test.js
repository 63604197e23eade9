'use strict';
// A new project by the real tool: `s init` over loopback from what `make template` makes, and then the project itself.
// PYTHON chooses the interpreter; by default it is the project's virtual environment.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { after, before, test } = require('node:test');

const root = path.resolve(__dirname, '..', '..', '..');
const python = process.env.PYTHON || path.join(root, '.venv/bin/python');
const tool = path.join(root, 'node_modules/@serverless-devs/s/bin/s');
const answers = {
  OSS_REGION: 'cn-shanghai', OSS_BUCKET: 'photos', ACCOUNT_ID: '1098765432109876', CALLER_AUTH: 'wechat',
  WECHAT_APPID: 'wx0123456789abcdef', WECHAT_SECRET: '0123456789abcdef0123456789abcdef',
};

let folder, server, address, made;

function run(command, args, cwd, more = {}) {
  const env = { PATH: process.env.PATH, HOME: path.join(folder, 'home'), LANG: 'C.UTF-8', ...more };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { said += chunk; });
  return new Promise((resolve) => { child.on('close', (status) => resolve({ status, said })); });
}

async function init(name, ...options) {
  const { status, said } = await run(process.execPath, [tool, 'init', name, '--uri', address, '-y', ...options], folder);
  assert.equal(status, 0, said);
  const project = path.join(folder, name);
  const env = fs.readFileSync(path.join(project, '.env'), 'utf8');
  return { project, said, env: Object.fromEntries([...env.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, key, value]) => [key, value])) };
}

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'template-'));
  fs.mkdirSync(path.join(folder, 'home'));
  const zipped = await run(python, [path.join(root, 'manage.py'), 'template', '--output', path.join(folder, 'app.zip')], root);
  assert.equal(zipped.status, 0, zipped.said);
  const zip = fs.readFileSync(path.join(folder, 'app.zip'));
  server = http.createServer((request, response) => response.end(zip)).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.on('listening', resolve); });
  address = `http://127.0.0.1:${server.address().port}/app.zip`;
  made = await init('photos', '--parameters', JSON.stringify(answers));
});
after(() => {
  server.close();
  fs.rmSync(folder, { recursive: true });
});

test('a new project has the answers in its .env, a secret of its own, and every file as it is here', () => {
  const { project, env, said } = made;
  assert.deepEqual(
    { ...env, TOKEN_SECRET: '' },
    {
      OSS_BUCKET: 'photos', OSS_REGION: 'cn-shanghai', STS_ROLE_ARN: 'acs:ram::1098765432109876:role/oss-direct-upload',
      CALLER_AUTH: 'wechat', WECHAT_APPID: answers.WECHAT_APPID, WECHAT_SECRET: answers.WECHAT_SECRET, TOKEN_SECRET: '',
    },
  );
  assert.match(env.TOKEN_SECRET, /^[\w-]{43}$/);
  assert.equal(fs.statSync(path.join(project, '.env')).mode & 0o777, 0o600);
  assert.ok(!said.includes(answers.WECHAT_SECRET));
  for (const name of ['s.yaml', 'profiles.toml', 'handler.py', 'Makefile', 'README.zh-CN.md', '.gitignore', 'function/app.py']) {
    assert.equal(fs.readFileSync(path.join(project, name), 'utf8'), fs.readFileSync(path.join(root, name), 'utf8'), name);
  }
});

test('a secret that nobody gave is left to be filled in, and that of the tokens is another in each project', async () => {
  const { WECHAT_SECRET, ...others } = answers;
  const { env } = await init('later', '--parameters', JSON.stringify(others));
  assert.deepEqual([env.WECHAT_SECRET, env.WECHAT_APPID], ['', answers.WECHAT_APPID]);
  assert.notEqual(env.TOKEN_SECRET, made.env.TOKEN_SECRET);
});

test('where nothing was asked, .env is the example with a secret', async () => {
  const { env } = await init('unasked');
  assert.deepEqual([env.OSS_BUCKET, env.CALLER_AUTH, env.WECHAT_SECRET], ['my-bucket', 'wechat', '']);
  assert.match(env.TOKEN_SECRET, /^[\w-]{43}$/);
});

test('an answer that is needed is asked for', async () => {
  const { OSS_BUCKET, ...others } = answers;
  const options = ['init', 'lacking', '--uri', address, '-y', '--parameters', JSON.stringify(others)];
  const { status, said } = await run(process.execPath, [tool, ...options], folder);
  assert.notEqual(status, 0);
  assert.match(said, /OSS_BUCKET is required/);
});

test('the new project uploads on the laptop, passes the check and is packaged', { timeout: 300000 }, async () => {
  const { project } = made;
  const manage = (...args) => run(python, ['manage.py', ...args], project, { PORT: String(24000 + process.pid % 8000) });
  const demo = await manage('demo', '--lang', 'zh');
  assert.equal(demo.status, 0, demo.said);
  assert.match(demo.said, /✓ 完成/);
  const checked = await manage('check-deploy');
  assert.equal(checked.status, 0, checked.said);
  const packed = await manage('package');
  assert.equal(packed.status, 0, packed.said);
  assert.ok(fs.existsSync(path.join(project, 'build/function/handler.py')));
});

test('make demo sets everything up on a machine that has nothing of it', {
  skip: !process.env.CI && 'installs every package anew: with CI=true only', timeout: 600000,
}, async () => {
  const { project } = made;
  const { status, said } = await run('make', ['demo'], project, { PORT: String(33000 + process.pid % 8000) });
  assert.equal(status, 0, said);
  assert.ok(fs.existsSync(path.join(project, '.venv/bin/python')));
});
