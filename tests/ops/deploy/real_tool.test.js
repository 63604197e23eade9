'use strict';
// The real deployment tool behind manage.py deploy. Run with: node --test tests/ops/deploy/real_tool.test.js
// PYTHON chooses the interpreter; by default it is the project's virtual environment.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');

const root = path.resolve(__dirname, '..', '..', '..');
const python = process.env.PYTHON || path.join(root, '.venv/bin/python');
const secret = 'the-secret-of-today-0123456789abcdef';
const hidden = [secret, 'the-secret-of-last-year', 'line-of-the-old-key', 'line-of-the-new-key', 'old-private'];

test('the real tool deploys, and no secret of now or before is shown', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'deploy-'));
  try {
    fs.cpSync(path.join(__dirname, 'tool'), folder, { recursive: true });
    fs.writeFileSync(path.join(folder, '.env'), `TOKEN_SECRET=${secret}\nOSS_BUCKET=photos\n`);
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      AccountID: '1234567890123456',
      AccessKeyID: 'LTAI-of-nobody',
      AccessKeySecret: 'secret-of-nobody',
    };
    const done = spawnSync(python, [path.join(root, 'manage.py'), 'deploy', path.join(folder, 's.yaml')], {
      env,
      encoding: 'utf8',
      timeout: 60000,
    });
    const said = done.stdout + done.stderr;
    assert.equal(done.status, 0, said);
    for (const one of hidden) assert.ok(!said.includes(one), one);
    assert.match(said, /OSS_BUCKET: old-bucket => photos/);
    assert.match(said, /signs is deployed in cn-hangzhou/);
    const log = /in clear: (\S+)\. /.exec(said);
    assert.ok(log, said);
    const kept = fs.readdirSync(log[1]).map((name) => fs.readFileSync(path.join(log[1], name), 'utf8')).join('');
    assert.ok(kept.includes(secret), 'the log that is named is the one with the secrets');
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
