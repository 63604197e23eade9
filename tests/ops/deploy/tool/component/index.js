'use strict';
// What component fc3 0.1.22 does in a deployment, as far as ours need it. Function Compute is the file STATE: one
// function with versions, alias and triggers. A deployment prints a difference that shows secrets.
// Source: https://github.com/devsapp/fc3, src/subCommands/{deploy,info,version,alias,sync}; OpenAPI metadata of FC
// 2023-03-30 (error codes); the difference is drawn by @serverless-devs/diff.

const fs = require('node:fs');
const path = require('node:path');

const recorded = fs.readFileSync(path.join(__dirname, '../recorded.txt'), 'utf8').split('\n');
const DIFFERENCE = recorded.slice(recorded.indexOf('cpu: 0.35 => 0.5'), recorded.findIndex((line) => line.startsWith('customDomain')) + 1);

class Refused extends Error {
  constructor(status, code, message) {
    super(`${code}: code: ${status}, ${message} request id: 1-request`);
    this.code = code;
  }
}

function there(value, code) {
  if (!value) throw new Refused(404, code, 'it does not exist');
  return value;
}

function read() {
  return JSON.parse(fs.readFileSync(process.env.STATE, 'utf8'));
}

/** Change the state; what is refused is called, too. */
function change(name, act) {
  const state = read();
  state.calls.push(name);
  try {
    if (state.refused[name]) throw new Refused(...state.refused[name]);
    return act(state);
  } finally {
    fs.writeFileSync(process.env.STATE, JSON.stringify(state));
  }
}

function optionsOf(args) {
  const options = {};
  args.forEach((name, index) => { if (name.startsWith('--')) options[name.slice(2)] = args[index + 1]; });
  return options;
}

exports.default = class {
  constructor({ logger }) {
    this.logger = logger;
  }

  async deploy({ props, args, cwd }) {
    fs.writeFileSync(path.join(cwd, 'props.json'), JSON.stringify(props));
    const { triggers = [], ...own } = props;
    this.logger.write(DIFFERENCE.map((line) => (line.includes('TOKEN_SECRET') ? line.replace(/=> .*/, `=> ${own.environmentVariables.TOKEN_SECRET}`) : line)).join('\n'));
    this.logger.info('ossAuto code to https://oss-cn-hangzhou.aliyuncs.com');
    change('function', (state) => {
      state.isPublished = state.isPublished && JSON.stringify(state.function) === JSON.stringify(own);
      state.function = own;
    });
    if (args.includes('--function')) return undefined;
    for (const trigger of triggers) change('trigger', (state) => this.putTrigger(state, trigger));
    return this.info({ props });
  }

  putTrigger(state, { qualifier = 'LATEST', ...trigger }) {
    if (qualifier !== 'LATEST') there(state.aliases[qualifier], 'AliasNotFound');
    const address = trigger.triggerType === 'http' && { httpTrigger: { urlInternet: `https://signs-${qualifier}.cn-hangzhou.fcapp.run` } };
    state.triggers[trigger.triggerName] = { ...trigger, qualifier, ...address };
  }

  async info({ props }) {
    const state = read();
    const triggers = (props.triggers || []).map(({ triggerName }) => there(state.triggers[triggerName], 'TriggerNotFound'));
    return { region: props.region, ...there(state.function, 'FunctionNotFound'), triggers };
  }

  // The package and the settings of a version; the real one unpacks a zip.
  async sync({ args }) {
    const { region, 'function-name': name, 'target-dir': folder } = optionsOf(args);
    const state = read();
    if (!state.package) throw new Refused(403, 'AccessDenied', 'no right');
    const place = path.join(folder, `${region}_${name}`);
    fs.mkdirSync(place, { recursive: true });
    fs.writeFileSync(path.join(place, 'profiles.toml'), state.package);
    const { environmentVariables } = state.function;
    fs.writeFileSync(`${place}.yaml`, JSON.stringify({ resources: { r: { props: { region, function: { environmentVariables } } } } }));
    return { codePath: place };
  }

  async version({ args }) {
    there(read().function, 'FunctionNotFound');
    if (args[0] === 'list') return read().versions;
    return change('publish', (state) => {
      if (state.isPublished) throw new Refused(400, 'VersionPublishError', "can not publish version, detail: 'No changes were made since last publish'");
      state.isPublished = true;
      const { description } = optionsOf(args);
      state.versions.unshift({ versionId: String(state.versions.length + 1), description, createdTime: '2026-11-28T13:00:00Z' });
      return state.versions[0];
    });
  }

  async alias({ args }) {
    there(read().function, 'FunctionNotFound');
    if (args[0] === 'list') return Object.values(read().aliases);
    const { 'alias-name': aliasName, 'version-id': versionId, description, vw } = optionsOf(args);
    return change('alias', (state) => {
      const additionalVersionWeight = vw ? JSON.parse(vw) : undefined;
      for (const version of [versionId, ...Object.keys(additionalVersionWeight || {})]) {
        there(state.versions.some((one) => one.versionId === version), 'VersionNotFound');
      }
      state.aliases[aliasName] = { ...state.aliases[aliasName], aliasName, versionId, description, additionalVersionWeight };
    });
  }
};
