'use strict';
// The real deployment tool behind manage.py deploy and rollback, with a component of our own; and what it makes of
// s.burst.yaml and s.own.yaml, beside what check-deploy takes it for. PYTHON chooses the interpreter.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { after, before, test } = require('node:test');

const root = path.resolve(__dirname, '..', '..', '..');
const python = process.env.PYTHON || path.join(root, '.venv/bin/python');
const tool = path.join(root, 'node_modules/.bin/s');
const burst = 'deploy/burst/s.burst.yaml';
const secret = 'the-secret-of-today-0123456789abcdef';
const hidden = [secret, 'the-secret-of-last-year', 'line-of-the-old-key', 'line-of-the-new-key', 'old-private'];
const REFUSED = [403, 'AccessDenied', 'no right'];
const withTimeout = { timeout: 600000 };
let folder;
let environ;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'deploy-'));
  fs.cpSync(path.join(__dirname, 'tool'), folder, { recursive: true });
  fs.mkdirSync(path.join(folder, 'code'));
  fs.writeFileSync(path.join(folder, '.env'), `TOKEN_SECRET=${secret}\nOSS_BUCKET=photos\n`);
  fs.writeFileSync(path.join(folder, 'code/handler.py'), 'def handler(event, context): pass\n');
  environ = {
    PATH: process.env.PATH,
    HOME: folder,
    // Without the two processes that each run of the tool starts to report it, and to ask for a newer tool.
    NODE_ENV: 'test',
    NODE_OPTIONS: `--require ${JSON.stringify(path.join(__dirname, 'compiled.js'))}`,
    COMPILED: path.join(folder, 'compiled'),
    AccountID: '1234567890123456',
    AccessKeyID: 'LTAI-of-nobody',
    AccessKeySecret: 'secret-of-nobody',
    FC3_COMPONENT: path.join(folder, 'component'),
    STATE: path.join(folder, 'state.json'),
  };
  state({ function: null, isPublished: false, versions: [], aliases: {}, triggers: {}, refused: {}, package: null });
});

// What the tool has started may still write there.
after(() => fs.rmSync(folder, { recursive: true, maxRetries: 50, retryDelay: 100 }));

function manage(...command) {
  const [name, ...options] = command;
  const args = [path.join(root, 'manage.py'), name, path.join(folder, 's.yaml'), '--lang=en', ...options];
  const done = spawnSync(python, args, { env: environ, encoding: 'utf8', timeout: 300000 });
  return { status: done.status, said: done.stdout + done.stderr };
}

/** What Function Compute has, and the calls since the last change of it. */
function state(changes) {
  const before = fs.existsSync(environ.STATE) ? JSON.parse(fs.readFileSync(environ.STATE, 'utf8')) : {};
  if (changes) fs.writeFileSync(environ.STATE, JSON.stringify({ ...before, ...changes, calls: [] }));
  return before;
}

function live() {
  const { versionId, additionalVersionWeight, description } = state().aliases.live;
  return [versionId, additionalVersionWeight, description];
}

test('a canary of a first deployment, and a version that is refused, leave nothing live', withTimeout, () => {
  assert.equal(manage('deploy', '--canary=10').status, 2);
  assert.deepEqual(state().calls, []);
  state({ refused: { publish: REFUSED } });
  const { status, said } = manage('deploy');
  assert.equal(status, 101, said);
  assert.match(said, /AccessDenied: code: 403/);
  assert.deepEqual(state().calls, ['function', 'publish']);
});

test('a deployment that died before the alias is completed: version, alias, then the triggers', withTimeout, () => {
  const versions = [{ versionId: '1', description: '', createdTime: '2026-11-28T13:00:00Z' }];
  state({ refused: {}, isPublished: true, versions });
  const { status, said } = manage('deploy');
  assert.equal(status, 0, said);
  for (const one of hidden) assert.ok(!said.includes(one), one);
  assert.match(said, /nothing has changed since version 1/);
  assert.match(said, /address +https:\/\/signs-live\.cn-hangzhou\.fcapp\.run/);
  const { calls, triggers } = state();
  assert.deepEqual(calls, ['function', 'publish', 'alias', 'function', 'trigger', 'trigger']);
  assert.deepEqual(Object.values(triggers).map((trigger) => trigger.qualifier), ['live', 'live']);
  assert.deepEqual(live(), ['1', {}, '']);
  const log = /in clear: (\S+)\. /.exec(said);
  assert.ok(log, said);
  const files = fs.readdirSync(log[1], { withFileTypes: true }).filter((one) => one.isFile());
  const kept = files.map((one) => fs.readFileSync(path.join(log[1], one.name), 'utf8')).join('');
  assert.ok(kept.includes(secret), 'the log that is named is the one with the secrets');
});

test('profiles of the live version are read from its package, and a change that loses objects is not deployed', withTimeout, () => {
  const profile = '[post]\nkey = "posts/{id}"\nmax_size = 1\ncontent_types = ["*/*"]\n';
  state({ package: profile });
  const own = path.join(folder, 'profiles.toml');
  fs.writeFileSync(own, profile.replace('posts/', 'photos/'));
  const { status, said } = manage('deploy');
  assert.equal(status, 2, said);
  assert.match(said, /\[post\] key is posts\/\{id\}/);
  assert.doesNotMatch(said, /Not compared/);
  assert.deepEqual(state().calls, []);
  fs.rmSync(own);
});

test('a canary takes its share without the profiles of before, and ends; a rollback builds nothing and goes back to the version before', withTimeout, () => {
  state({ isPublished: false, package: null });
  const canary = manage('deploy', '--canary=10');
  assert.equal(canary.status, 0, canary.said);
  assert.equal(canary.said.match(/Not compared: profiles\.toml.*fc:GetFunctionCode/g).length, 1);
  assert.deepEqual(live(), ['1', { 2: 0.1 }, '']);
  assert.equal(manage('deploy').status, 0);
  assert.deepEqual(live(), ['2', {}, 'before: 1']);
  state({});
  assert.equal(manage('rollback').status, 0);
  assert.deepEqual(live(), ['1', {}, '']);
  assert.deepEqual(state().calls, ['alias']);
  const { said } = manage('rollback', '--list');
  assert.match(said, /live: version 1[^]*\n +2 .*\n +1 /);
});

const BESIDE = `
import json, os, sys
from pathlib import Path
from ops.deploy.own_blocks import with_own_blocks
from ops.deploy.s_yaml import Resolver, read_s_yaml
used = with_own_blocks(Path(sys.argv[1]))
source = read_s_yaml(used)
resolver = Resolver(os.environ, os.environ["AccountID"])
document = resolver.resolve_layers(source.layers)
print(json.dumps([str(used), str(source.folder), document["resources"]["upload"]["props"], list(map(str, resolver.problems))]))
`;

for (const [file, settings] of [
  [burst, {}],
  [burst, { LOG_PROJECT: 'uploads', RESERVED_INSTANCES: '5', CLOSE_TEST_ADDRESS: 'true' }],
]) test(`the tool lays ${file} with ${Object.keys(settings).length} settings over s.yaml as check-deploy does`, withTimeout, () => {
  const project = path.join(folder, `project-${Object.keys(settings).length}`);
  fs.mkdirSync(path.join(project, 'deploy/burst'), { recursive: true });
  for (const name of ['s.yaml', burst]) {
    // Where the package would be made is all of the packaging that is looked at here.
    const text = fs.readFileSync(path.join(root, name), 'utf8').replace('run: make package', 'run: mkdir build');
    fs.writeFileSync(path.join(project, name), text);
  }
  const env = {
    ...environ, FUNCTION_NAME: 'signs', OSS_BUCKET: 'photos', CALLER_AUTH: 'anonymous', LOGIN_RATE: '7/min',
    STS_ROLE_ARN: 'acs:ram::1234567890123456:role/upload', ...settings,
  };
  state({ aliases: { live: {} } });
  const done = spawnSync(python, ['-c', BESIDE, path.join(project, file)], { cwd: root, env, encoding: 'utf8' });
  assert.equal(done.status, 0, done.stderr);
  const [used, home, checked, problems] = JSON.parse(done.stdout);
  assert.deepEqual([home, problems, used.endsWith('s.own.yaml')], [project, [], Object.keys(settings).length > 0]);
  const deploy = () => spawnSync(tool, ['deploy', '-y', '-t', used], { cwd: project, env, encoding: 'utf8', timeout: 60000, killSignal: 'SIGKILL' });
  let said = deploy();
  // Once in some hundred starts the tool itself never ends.
  if (said.error?.code === 'ETIMEDOUT') said = deploy();
  assert.equal(said.status, 0, said.stdout + said.stderr);
  const deployed = JSON.parse(fs.readFileSync(path.join(project, 'props.json'), 'utf8'));
  assert.deepEqual(deployed, checked);
  // The component takes the code from beside the file: devsapp/fc3, src/base.ts, baseDir.
  const code = path.join(path.dirname(used), deployed.code);
  assert.equal(code, path.join(project, 'build/function-burst'));
  assert.ok(fs.existsSync(path.dirname(code)));
  assert.deepEqual([deployed.functionName, deployed.logConfig?.project, deployed.triggers.length], ['signs-burst', settings.LOG_PROJECT, 2]);
});
