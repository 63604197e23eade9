'use strict';
// What the real deployment tool makes of s.burst.yaml and s.own.yaml, beside what check-deploy takes it for.
// Run with: node --test tests/ops/deploy/burst.test.js; PYTHON chooses the interpreter.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');

const root = path.resolve(__dirname, '..', '..', '..');
const python = process.env.PYTHON || path.join(root, '.venv/bin/python');
const burst = 'deploy/burst/s.burst.yaml';
const tool = path.join(root, 'node_modules/.bin/s');

// Deploys nothing, and writes down what it is given.
const component = `
const fs = require('fs');
const path = require('path');
exports.default = class {
  async deploy({ props, cwd }) { fs.writeFileSync(path.join(cwd, 'props.json'), JSON.stringify(props)); return {}; }
};`;

const resolve = `
import json, os, sys
from pathlib import Path
from ops.deploy.s_yaml import Resolver, read_s_yaml
folder = Path(sys.argv[1])
source = read_s_yaml(folder / sys.argv[2])
assert source.folder == folder
resolver = Resolver(os.environ, os.environ["AccountID"])
document = resolver.resolve_layers(source.layers)
print(json.dumps([document["resources"]["upload"]["props"], [str(one) for one in resolver.problems]]))
`;

const writeOwn = `
import sys
from pathlib import Path
from ops.deploy.own_blocks import with_own_blocks
print(with_own_blocks(Path(sys.argv[1])).relative_to(Path(sys.argv[1]).parents[int(sys.argv[2])]))
`;

for (const [file, settings] of [
  [burst, {}],
  ['s.yaml', { LOG_PROJECT: 'uploads', RESERVED_INSTANCES: '5', CLOSE_TEST_ADDRESS: 'true' }],
  [burst, { LOG_PROJECT: 'uploads', RESERVED_INSTANCES: '5', CLOSE_TEST_ADDRESS: 'true' }],
]) test(`the tool lays ${file} with ${Object.keys(settings).length} settings over s.yaml as check-deploy does`, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'burst-'));
  try {
    fs.mkdirSync(path.join(folder, 'deploy/burst'), { recursive: true });
    for (const name of ['s.yaml', burst]) {
      // Where the package would be made is all of the packaging that is looked at here.
      const text = fs.readFileSync(path.join(root, name), 'utf8').replace('run: make package', 'run: mkdir build');
      fs.writeFileSync(path.join(folder, name), text);
    }
    fs.mkdirSync(path.join(folder, 'component'));
    fs.writeFileSync(path.join(folder, 'component/index.js'), component);
    fs.writeFileSync(path.join(folder, 'component/package.json'), '{"name": "component", "main": "index.js"}');
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      AccountID: '1234567890123456',
      AccessKeyID: 'LTAI-of-nobody',
      AccessKeySecret: 'secret-of-nobody',
      FC3_COMPONENT: './component',
      FUNCTION_NAME: 'signs',
      OSS_BUCKET: 'photos',
      STS_ROLE_ARN: 'acs:ram::1234567890123456:role/upload',
      CALLER_AUTH: 'anonymous',
      LOGIN_RATE: '7/min',
      ...settings,
    };
    const own = spawnSync(python, ['-c', writeOwn, path.join(folder, file), String(file.split('/').length - 1)], { cwd: root, env, encoding: 'utf8' });
    assert.equal(own.status, 0, own.stderr);
    const used = own.stdout.trim();
    assert.equal(used.endsWith('s.own.yaml'), Object.keys(settings).length > 0);
    const deploy = () => spawnSync(tool, ['deploy', '-y', '-t', used], { cwd: folder, env, encoding: 'utf8', timeout: 60000, killSignal: 'SIGKILL' });
    let said = deploy();
    // Once in some hundred starts the tool itself never ends.
    if (said.error?.code === 'ETIMEDOUT') said = deploy();
    assert.equal(said.status, 0, said.stdout + said.stderr);
    const deployed = JSON.parse(fs.readFileSync(path.join(folder, 'props.json'), 'utf8'));
    const done = spawnSync(python, ['-c', resolve, folder, used], { cwd: root, env, encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    const [checked, problems] = JSON.parse(done.stdout);
    assert.deepEqual(problems, []);
    assert.deepEqual(deployed, checked);
    // The component takes the code from beside the file: devsapp/fc3, src/base.ts, baseDir.
    const code = path.join(folder, path.dirname(used), deployed.code);
    assert.equal(code, path.join(folder, file === burst ? 'build/function-burst' : 'build/function'));
    assert.ok(fs.existsSync(path.dirname(code)));
    assert.equal(deployed.functionName, file === burst ? 'signs-burst' : 'signs');
    assert.equal(deployed.logConfig?.project, settings.LOG_PROJECT);
    assert.equal(deployed.triggers.length, 2);
    assert.equal(deployed.runtime, file === burst ? 'custom.debian11' : 'python3.12');
    assert.equal(deployed.environmentVariables.LOGIN_RATE, '7/min');
    assert.equal(deployed.environmentVariables.CLIENT_ADDRESS_HEADER, file === burst ? 'X-Forwarded-For' : '');
  } finally {
    // What the tool has started may still write there.
    fs.rmSync(folder, { recursive: true, maxRetries: 50, retryDelay: 100 });
  }
});
