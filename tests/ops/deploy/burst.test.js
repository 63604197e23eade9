'use strict';
// What the real deployment tool makes of s.burst.yaml, beside what check-deploy takes it for.
// Run with: node --test tests/ops/deploy/burst.test.js; PYTHON chooses the interpreter.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spawnSync } = require('node:child_process');
const { test } = require('node:test');

const root = path.resolve(__dirname, '..', '..', '..');
const python = process.env.PYTHON || path.join(root, '.venv/bin/python');
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
from ops.deploy.expressions import Resolver
from ops.deploy.s_yaml import read_s_yaml
folder = Path(sys.argv[1])
source = read_s_yaml(folder / "s.burst.yaml")
resolver = Resolver(os.environ, os.environ["AccountID"], folder, source.content)
document = resolver.resolve_layers(source.layers)
print(json.dumps([document["resources"]["upload"]["props"], [str(one) for one in resolver.problems]]))
`;

test('the tool lays s.burst.yaml over s.yaml as check-deploy does', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'burst-'));
  try {
    for (const name of ['s.yaml', 's.burst.yaml']) fs.copyFileSync(path.join(root, name), path.join(folder, name));
    // The packaging is not what is looked at here.
    const text = fs.readFileSync(path.join(folder, 's.yaml'), 'utf8').replace('run: make package', 'run: node --version');
    fs.writeFileSync(path.join(folder, 's.yaml'), text);
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
    };
    const said = spawnSync(tool, ['deploy', '-y', '-t', 's.burst.yaml'], { cwd: folder, env, encoding: 'utf8', timeout: 60000 });
    assert.equal(said.status, 0, said.stdout + said.stderr);
    const deployed = JSON.parse(fs.readFileSync(path.join(folder, 'props.json'), 'utf8'));
    const done = spawnSync(python, ['-c', resolve, folder], { cwd: root, env, encoding: 'utf8' });
    assert.equal(done.status, 0, done.stderr);
    const [checked, problems] = JSON.parse(done.stdout);
    assert.deepEqual(problems, []);
    assert.deepEqual(deployed, checked);
    assert.equal(deployed.functionName, 'signs-burst');
    assert.equal(deployed.runtime, 'custom.debian11');
    assert.equal(deployed.environmentVariables.LOGIN_RATE, '7/min');
    assert.equal(deployed.environmentVariables.CLIENT_ADDRESS_HEADER, 'X-Forwarded-For');
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});
