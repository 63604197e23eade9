'use strict';
// The real deployment tool behind manage.py deploy and rollback, at a control plane of our own.
// Run with: node --test tests/ops/deploy/real_tool.test.js; PYTHON chooses the interpreter, FC3_COMPONENT the folder
// of a component, such as the real fc3 (with fc3-domain in SERVERLESS_DEVS_HOME, which it loads).

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { spawn, spawnSync } = require('node:child_process');
const { after, before, test } = require('node:test');

const root = path.resolve(__dirname, '..', '..', '..');
const python = process.env.PYTHON || path.join(root, '.venv/bin/python');
const secret = 'the-secret-of-today-0123456789abcdef';
const hidden = [secret, 'the-secret-of-last-year', 'line-of-the-old-key', 'line-of-the-new-key', 'old-private'];
const REFUSED = [403, 'AccessDenied', 'no right'];
let folder;
let plane;
let origin;

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'deploy-'));
  fs.cpSync(path.join(__dirname, 'tool'), folder, { recursive: true });
  fs.mkdirSync(path.join(folder, 'code'));
  fs.writeFileSync(path.join(folder, '.env'), `TOKEN_SECRET=${secret}\nOSS_BUCKET=photos\n`);
  fs.writeFileSync(path.join(folder, 'code/handler.py'), 'def handler(event, context): pass\n');
  plane = spawn(process.execPath, [path.join(folder, 'control_plane.js')]);
  const [port] = await once(plane.stdout, 'data');
  origin = `http://127.0.0.1:${String(port).trim()}`;
});

after(() => {
  plane.kill();
  // What the tool has started may still write there.
  fs.rmSync(folder, { recursive: true, maxRetries: 50, retryDelay: 100 });
});

function manage(...command) {
  const env = {
    PATH: process.env.PATH,
    HOME: process.env.SERVERLESS_DEVS_HOME || folder,
    AccountID: '1234567890123456',
    AccessKeyID: 'LTAI-of-nobody',
    AccessKeySecret: 'secret-of-nobody',
    FC3_COMPONENT: process.env.FC3_COMPONENT || path.join(folder, 'component'),
    FC_CLIENT_CUSTOM_ENDPOINT: origin,
    FC_CODE_TEMP_OSS_ENDPOINT: origin,
  };
  const [name, ...options] = command;
  const args = [path.join(root, 'manage.py'), name, path.join(folder, 's.yaml'), '--lang=en', ...options];
  const done = spawnSync(python, args, { env, encoding: 'utf8', timeout: 300000 });
  return { status: done.status, said: done.stdout + done.stderr };
}

async function state(changes) {
  const body = changes && JSON.stringify(changes);
  return (await fetch(`${origin}/-/state`, { method: body ? 'POST' : 'GET', body })).json();
}

async function live() {
  const { versionId, additionalVersionWeight, description } = (await state()).aliases.live;
  return [versionId, additionalVersionWeight, description];
}

const withTimeout = { timeout: 600000 };

test('a canary of a first deployment, and a version that is refused, leave nothing live', withTimeout, async () => {
  assert.equal(manage('deploy', '--canary=10').status, 2);
  assert.deepEqual((await state()).calls, []);
  await state({ refused: { publish: REFUSED } });
  const { status, said } = manage('deploy');
  assert.equal(status, 101, said);
  assert.match(said, /AccessDenied: code: 403/);
  assert.deepEqual((await state()).calls, ['function', 'publish']);
});

test('a deployment that died before the alias is completed: version, alias, then the triggers', withTimeout, async () => {
  await state({ refused: { alias: REFUSED } });
  assert.equal(manage('deploy').status, 101);
  await state({ refused: {} });
  const { status, said } = manage('deploy');
  assert.equal(status, 0, said);
  for (const one of hidden) assert.ok(!said.includes(one), one);
  assert.match(said, /nothing has changed since version 1/);
  assert.match(said, /signs is deployed in cn-hangzhou/);
  assert.match(said, /address +https:\/\/signs-live\.cn-hangzhou\.fcapp\.run/);
  const { calls, triggers } = await state();
  assert.deepEqual(calls, ['function', 'publish', 'alias', 'function', 'trigger', 'trigger']);
  assert.deepEqual(Object.values(triggers).map((trigger) => trigger.qualifier), ['live', 'live']);
  assert.deepEqual(await live(), ['1', {}, '']);
  const log = /in clear: (\S+)\. /.exec(said);
  assert.ok(log, said);
  const files = fs.readdirSync(log[1], { withFileTypes: true }).filter((one) => one.isFile());
  const kept = files.map((one) => fs.readFileSync(path.join(log[1], one.name), 'utf8')).join('');
  assert.ok(kept.includes(secret), 'the log that is named is the one with the secrets');
});

test('profiles of the live version are read from its package, and a change that loses objects is not deployed', withTimeout, async () => {
  const profile = '[post]\nkey = "posts/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\n';
  await state({ package: profile });
  const own = path.join(folder, 'profiles.toml');
  fs.writeFileSync(own, profile.replace('posts/', 'photos/'));
  const { status, said } = manage('deploy');
  assert.equal(status, 2, said);
  assert.match(said, /\[post\] key is posts\/\{id\}/);
  assert.doesNotMatch(said, /Not compared/);
  assert.deepEqual((await state()).calls, []);
  fs.rmSync(own);
  await state({ package: null });
  const other = manage('deploy');
  assert.equal(other.status, 0, other.said);
  assert.equal(other.said.match(/Not compared: profiles\.toml.*fc:GetFunctionCode/g).length, 1);
});

test('a canary takes its share and ends; a rollback builds nothing and goes back to the version before', withTimeout, async () => {
  await state({ isPublished: false });
  assert.equal(manage('deploy', '--canary=10').status, 0);
  assert.deepEqual(await live(), ['1', { 2: 0.1 }, '']);
  assert.equal(manage('deploy').status, 0);
  assert.deepEqual(await live(), ['2', {}, 'before: 1']);
  await state({});
  assert.equal(manage('rollback').status, 0);
  assert.deepEqual(await live(), ['1', {}, '']);
  assert.deepEqual((await state()).calls, ['alias']);
  const { said } = manage('rollback', '--list');
  assert.match(said, /2 .*\n +1 .*live/);
});
