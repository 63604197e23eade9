'use strict';
// The hook of deploy/template alone: what it writes, and who may read it meanwhile.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { postInit } = require('../../../deploy/template/hook');

const ANSWERS = {
  LANGUAGE: 'en', OSS_BUCKET: 'photos', OSS_REGION: 'cn-shanghai', CALLER_AUTH: 'wechat', FEATURES: 'avatar',
  WECHAT_APPID: 'wx00112233445566ff', WECHAT_SECRET: '0123456789abcdef0123456789abcdef',
};
// Stands in for manage.py of a new project; init itself has tests of its own.
const INIT = "import os; os.umask(0o77); open('.env', 'x').write('A=1\\n# from the console\\nWECHAT_SECRET=' + os.environ['WECHAT_SECRET'] + '\\nB=2\\n')";

/** The new .env, and the modes of each file after each time it was written. */
async function made(t, { answers, manage = 'raise SystemExit(1)', mine }) {
  const umask = process.umask(0);
  const appPath = fs.mkdtempSync(path.join(os.tmpdir(), 'hook-'));
  t.after(() => { process.umask(umask); fs.rmSync(appPath, { recursive: true }); });
  fs.copyFileSync(path.join(__dirname, '../../../.env.example'), path.join(appPath, '.env.example'));
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
  assert.deepEqual(fs.readdirSync(appPath).sort(), ['.env', '.env.example', 'manage.py']);
  return fs.readFileSync(path.join(appPath, '.env'), 'utf8');
}

test('only its owner reads .env from the start, which is the example with the answers where init fails', async (t) => {
  t.mock.method(console, 'error', () => {});
  for (const [answers, bucket] of [[ANSWERS, 'photos'], [undefined, 'my-bucket']]) {
    const text = await made(t, { answers });
    assert.match(text, /^TOKEN_SECRET=[\w-]{43}$/m);
    assert.match(text, new RegExp(`^OSS_BUCKET=${bucket}$`, 'm'));
  }
  assert.equal(console.error.mock.callCount(), 1);
});

test('a secret that the tool asked for and appends itself stands once, under its comment', async (t) => {
  // The tool puts a line end and the line behind it.
  assert.equal(await made(t, { answers: ANSWERS, manage: INIT }), 'A=1\nB=2\n# from the console');
  assert.equal((await made(t, { answers: { ...ANSWERS, CALLER_AUTH: 'jwt', WECHAT_SECRET: '' }, manage: INIT })).match(/WECHAT_SECRET/g).length, 1);
});

test('a .env that is there stays when the tool was told to keep the folder', async (t) => {
  assert.equal(await made(t, { answers: { ...ANSWERS, CALLER_AUTH: 'jwt' }, mine: 'MINE=1\n' }), 'MINE=1\n');
});

test('a Python that is too old is passed over for a newer one', async (t) => {
  const { PATH } = process.env;
  const bin = fs.mkdtempSync(path.join(os.tmpdir(), 'bin-'));
  t.after(() => { process.env.PATH = PATH; fs.rmSync(bin, { recursive: true }); });
  fs.writeFileSync(path.join(bin, 'python3'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  fs.writeFileSync(path.join(bin, 'python3.12'), `#!/bin/sh\nPATH='${PATH}' exec python3 "$@"\n`, { mode: 0o755 });
  process.env.PATH = `${bin}:${PATH}`;
  assert.match(await made(t, { answers: ANSWERS, manage: INIT }), /^A=1$/m);
});
