'use strict';
// ali-oss's own STS client against the local STS. Run with: node --test tests/local/sts/ali_oss.test.js
// PYTHON chooses the interpreter; by default it is the project's virtual environment.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');
const { spawn } = require('node:child_process');
const { after, before, test } = require('node:test');
const { STS } = require('ali-oss');

const root = path.resolve(__dirname, '..', '..', '..');
const inVenv = ['.venv/bin/python', '.venv/Scripts/python.exe'].map((name) => path.join(root, name));
const python = process.env.PYTHON || inVenv.find((name) => fs.existsSync(name)) || 'python3';

const policy = {
  Version: '1',
  Statement: [
    { Effect: 'Allow', Action: ['oss:PutObject'], Resource: ["acs:oss:*:*:b/it's (1) + ~上传!/*"] },
  ],
};

let server;
let lines;
let local;

async function nextLine() {
  const { value, done } = await lines.next();
  assert.ok(!done, 'the local STS ended early');
  return JSON.parse(value);
}

before(async () => {
  server = spawn(python, ['-m', 'tests.local.sts.serve'], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  lines = readline.createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  local = await nextLine();
});

after(async () => {
  const ended = new Promise((resolve) => server.once('exit', resolve));
  server.stdin.end();
  assert.equal(await ended, 0);
});

function client(changed) {
  const { accessKeyId, accessKeySecret, origin } = local;
  return new STS({ accessKeyId, accessKeySecret, endpoint: origin, ...changed });
}

test('gets credentials whose session policy arrives unchanged', async () => {
  const { credentials } = await client().assumeRole(local.roleArn, policy, 900, 'ali-oss@node');
  assert.deepEqual(Object.keys(credentials).sort(), [
    'AccessKeyId', 'AccessKeySecret', 'Expiration', 'SecurityToken',
  ]);
  const life = Date.parse(credentials.Expiration) - Date.now();
  assert.ok(life > 880e3 && life <= 900e3, `lives ${life} ms`);
  server.stdin.write(`${credentials.AccessKeyId}\n`);
  assert.deepEqual(await nextLine(), [policy]);
});

test('gets credentials without a policy, for an hour', async () => {
  const { credentials } = await client().assumeRole(local.roleArn);
  const life = Date.parse(credentials.Expiration) - Date.now();
  assert.ok(life > 3580e3 && life <= 3600e3, `lives ${life} ms`);
});

for (const [what, changed, roleArn, expected] of [
  ['a wrong secret', { accessKeySecret: 'wrong' }, null, { status: 400, code: 'SignatureDoesNotMatch' }],
  ['an unknown key', { accessKeyId: 'LTAIno' }, null, { status: 404, code: 'InvalidAccessKeyId.NotFound' }],
  ['an unknown role', {}, 'acs:ram::1234567890123456:role/no', { status: 404, code: 'EntityNotExist.Role' }],
  ['a malformed role', {}, 'no', { status: 400, code: 'InvalidParameter.RoleArn' }],
]) {
  test(`is refused with ${what}`, async () => {
    await assert.rejects(client(changed).assumeRole(roleArn || local.roleArn, policy, 900, 'ali-oss'), (error) => {
      assert.deepEqual({ status: error.status, code: error.code }, expected);
      assert.match(error.requestId, /^[0-9A-F-]{36}$/);
      return true;
    });
  });
}
