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

const { postInit } = require('../../../deploy/template/hook');

const root = path.resolve(__dirname, '..', '..', '..');
const python = process.env.PYTHON || path.join(root, '.venv/bin/python');
const tool = path.join(root, 'node_modules/@serverless-devs/s/bin/s');
const answers = {
  OSS_REGION: 'cn-shanghai', OSS_BUCKET: 'photos', CALLER_AUTH: 'wechat', FEATURES: '头像、check，大视频 quota', LANGUAGE: 'zh',
  WECHAT_APPID: 'wx00112233445566ff', WECHAT_SECRET: '0123456789abcdef0123456789abcdef',
};
const MADE = /^((?:TOKEN|RECEIPT)_SECRET|WECHAT_PUSH_\w+)=[\w-]{32,}$/gm;

let folder, server, address, made;

function run(command, args, cwd, more = {}) {
  const env = { PATH: process.env.PATH, HOME: path.join(folder, 'home'), LANG: 'C.UTF-8', NODE_ENV: 'test', ...more };
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => { said += chunk; });
  return new Promise((resolve) => { child.on('close', (status) => resolve({ status, said })); });
}

async function init(name, given, PATH = `${path.join(folder, 'bare')}:${process.env.PATH}`) {
  const options = given ? ['--parameters', JSON.stringify(given)] : [];
  const compiled = ['--require', path.join(__dirname, 'compiled.js')];
  const env = { PATH, COMPILED: path.join(folder, 'compiled') };
  const { status, said } = await run(process.execPath, [...compiled, tool, 'init', name, '--uri', address, '-y', ...options], folder, env);
  assert.equal(status, 0, said);
  const project = path.join(folder, name);
  const { '.env': text = '', 'profiles.toml': profiles } = filesOf(project);
  return { project, said, text, profiles, env: Object.fromEntries([...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map(([, key, value]) => [key, value])) };
}

const filesOf = (project) => Object.fromEntries(
  ['.env', 'profiles.toml'].filter((name) => fs.existsSync(path.join(project, name))).map((name) => [name, fs.readFileSync(path.join(project, name), 'utf8')]),
);

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'template-'));
  fs.mkdirSync(path.join(folder, 'home'));
  // A Python that has no packages.
  fs.mkdirSync(path.join(folder, 'bare'));
  fs.writeFileSync(path.join(folder, 'bare/python3'), `#!/bin/sh\nexec '${python}' -S "$@"\n`, { mode: 0o755 });
  const zipped = await run(python, [path.join(root, 'manage.py'), 'template', '--output', path.join(folder, 'app.zip')], root);
  assert.equal(zipped.status, 0, zipped.said);
  const zip = fs.readFileSync(path.join(folder, 'app.zip'));
  server = http.createServer((request, response) => response.end(zip)).listen(0, '127.0.0.1');
  await new Promise((resolve) => { server.on('listening', resolve); });
  address = `http://127.0.0.1:${server.address().port}/app.zip`;
  made = await init('photos', answers);
});
after(() => {
  server.close();
  // What the tool has started may still write there.
  fs.rmSync(folder, { recursive: true, maxRetries: 50, retryDelay: 100 });
});

test('a new project has what manage.py init writes for the same answers, and every other file as it is here', async () => {
  const { project, env, said } = made;
  assert.deepEqual([env.OSS_BUCKET, env.WECHAT_SECRET, env.STS_ROLE_ARN, env.QUOTA_URL], ['photos', answers.WECHAT_SECRET, '', '']);
  assert.equal(fs.statSync(path.join(project, '.env')).mode & 0o777, 0o600);
  assert.match(said, /cn-hongkong/);
  assert.ok(![answers.WECHAT_SECRET, env.TOKEN_SECRET].some((secret) => said.includes(secret)));
  for (const name of ['handler.py', 'Makefile', 'README.zh-CN.md', '.gitignore', 's.yaml', 'function/app.py']) {
    assert.equal(fs.readFileSync(path.join(project, name), 'utf8'), fs.readFileSync(path.join(root, name), 'utf8'), name);
  }
  assert.deepEqual(fs.readdirSync(project).filter((name) => /^\.env|pycache/.test(name)), ['.env', '.env.example']);

  const others = { ...answers, CALLER_AUTH: 'jwt', LANGUAGE: 'en', FEATURES: 'pictures', WECHAT_APPID: '' };
  for (const [given, { text, profiles }] of [[answers, made], [others, await init('english', others)]]) {
    for (const name of ['.env', 'profiles.toml']) fs.rmSync(path.join(folder, 'english', name));
    const options = ['--yes', '--bucket', given.OSS_BUCKET, '--region', given.OSS_REGION, '--caller-auth', given.CALLER_AUTH,
      '--appid', given.WECHAT_APPID, '--features', given.FEATURES, '--lang', given.LANGUAGE];
    const by = await run(python, ['manage.py', 'init', ...options], path.join(folder, 'english'), { WECHAT_SECRET: given.WECHAT_SECRET });
    assert.equal(by.status, 0, by.said);
    const files = filesOf(path.join(folder, 'english'));
    assert.equal(text.replace(MADE, '$1='), files['.env'].replace(MADE, '$1='));
    assert.equal(profiles, files['profiles.toml']);
  }
});

test('where nothing was asked, and where no Python runs, there are neither .env nor profiles yet', async () => {
  const bare = path.join(folder, 'no-python');
  fs.mkdirSync(bare);
  const [unasked, without] = [await init('unasked'), await init('without', answers, bare)];
  assert.deepEqual([unasked, without].map(({ project }) => filesOf(project)), [{}, {}]);
  assert.match(without.said, /make init/);
  assert.doesNotMatch(unasked.said, /make init/);
});

test('the new project uploads on the laptop, passes the check and is packaged', { timeout: 300000 }, async () => {
  const { project } = made;
  const manage = (...args) => run(python, ['manage.py', ...args], project, { PORT: String(24000 + process.pid % 8000) });
  const demo = await manage('demo', '--lang', 'zh');
  assert.equal(demo.status, 0, demo.said);
  assert.match(demo.said, /✓ 完成/);
  // What init leaves empty: setup prints the role, and the Redis is the operator's.
  const filled = { STS_ROLE_ARN: 'acs:ram::1098765432109876:role/oss-direct-upload', QUOTA_URL: 'rediss://user:password@redis.example.com:6379' };
  fs.writeFileSync(path.join(project, '.env'), made.text.replace(/^(STS_ROLE_ARN|QUOTA_URL)=$/gm, (line, name) => line + filled[name]));
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

// The hook alone: what it writes, and who may read it meanwhile.

const english = { ...answers, LANGUAGE: 'en', FEATURES: 'avatar' };
// Stands in for manage.py of a new project; init itself has tests of its own.
const INIT = "import os; os.umask(0o77); open('.env', 'x').write('A=1\\n# from the console\\nWECHAT_SECRET=' + os.environ['WECHAT_SECRET'] + '\\nB=2\\n')";

/** The new .env, and the modes of each file after each time it was written. */
async function hooked(t, { answers, manage = 'raise SystemExit(1)', mine }) {
  const umask = process.umask(0);
  const appPath = fs.mkdtempSync(path.join(os.tmpdir(), 'hook-'));
  t.after(() => { process.umask(umask); fs.rmSync(appPath, { recursive: true }); });
  fs.writeFileSync(path.join(appPath, 'manage.py'), manage);
  if (mine) fs.writeFileSync(path.join(appPath, '.env'), mine, { mode: 0o600 });
  const modes = [];
  const writeFileSync = (file, ...args) => {
    fs.writeFileSync(file, ...args);
    modes.push(fs.statSync(file).mode & 0o777);
  };
  const artTemplate = (name) => {
    if (!answers) throw new Error('nothing was asked');
    const file = path.join(appPath, name);
    writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/{{ (\w+) }}/g, (_, each) => answers[each]));
  };
  await postInit({ appPath, fs: { ...fs, writeFileSync }, artTemplate });
  assert.deepEqual(modes.filter((mode) => mode !== 0o600), []);
  assert.deepEqual(fs.readdirSync(appPath).filter((name) => name !== '.env'), ['manage.py']);
  return filesOf(appPath)['.env'];
}

test('where init fails only its owner will read .env, and what is left to do is said once', async (t) => {
  t.mock.method(console, 'error', () => {});
  assert.equal(await hooked(t, { answers: english }), '');
  assert.equal(await hooked(t, {}), undefined);
  assert.equal(console.error.mock.callCount(), 1);
});

test('a secret that the tool asked for and appends itself stands once, under its comment', async (t) => {
  // The tool puts a line end and the line behind it.
  assert.equal(await hooked(t, { answers: english, manage: INIT }), 'A=1\nB=2\n# from the console');
  assert.equal((await hooked(t, { answers: { ...english, CALLER_AUTH: 'jwt', WECHAT_SECRET: '' }, manage: INIT })).match(/WECHAT_SECRET/g).length, 1);
});

test('a .env that is there stays when the tool was told to keep the folder', async (t) => {
  assert.equal(await hooked(t, { answers: { ...english, CALLER_AUTH: 'jwt' }, mine: 'MINE=1\n' }), 'MINE=1\n');
});

test('a Python that is too old is passed over for a newer one', async (t) => {
  const { PATH } = process.env;
  const bin = fs.mkdtempSync(path.join(os.tmpdir(), 'bin-'));
  t.after(() => { process.env.PATH = PATH; fs.rmSync(bin, { recursive: true }); });
  fs.writeFileSync(path.join(bin, 'python3'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  fs.writeFileSync(path.join(bin, 'python3.12'), `#!/bin/sh\nPATH='${PATH}' exec python3 "$@"\n`, { mode: 0o755 });
  process.env.PATH = `${bin}:${PATH}`;
  assert.match(await hooked(t, { answers: english, manage: INIT }), /^A=1$/m);
});
