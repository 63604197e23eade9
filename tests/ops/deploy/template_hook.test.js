'use strict';
// The hook of deploy/template alone: who may read .env while it is written.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { postInit } = require('../../../deploy/template/hook');

const EXAMPLE = 'TOKEN_SECRET=\nWECHAT_SECRET=\n';

/** The modes of .env after each time it was written. */
async function modesOf(t, asked) {
  const umask = process.umask(0);
  const appPath = fs.mkdtempSync(path.join(os.tmpdir(), 'hook-'));
  t.after(() => { process.umask(umask); fs.rmSync(appPath, { recursive: true }); });
  const file = path.join(appPath, '.env');
  for (const name of ['.env', '.env.example']) fs.writeFileSync(path.join(appPath, name), EXAMPLE);
  const modes = [];
  const writeFileSync = (...args) => {
    fs.writeFileSync(...args);
    modes.push(fs.statSync(file).mode & 0o777);
  };
  const artTemplate = () => {
    if (!asked) throw new Error('nothing was asked');
    writeFileSync(file, `${EXAMPLE}WECHAT_APPID=wx0123456789abcdef\n`);
  };

  await postInit({ appPath, fs: { ...fs, writeFileSync, copySync: fs.copyFileSync }, artTemplate });

  assert.match(fs.readFileSync(file, 'utf8'), /^TOKEN_SECRET=[\w-]{43}$/m);
  return modes;
}

test('.env is only for its owner from the start', async (t) => {
  for (const asked of [true, false]) assert.deepEqual(await modesOf(t, asked), [0o600, 0o600]);
});
