'use strict';
/**
 * Control plane of Function Compute 3.0 for one function, in memory: functions, versions, aliases, triggers.
 *
 * GET /-/state tells versions, alias, triggers and the calls since the last POST; POST /-/state changes parts of it.
 * Prints its port.
 *
 * Source: OpenAPI metadata of FC 2023-03-30 (paths, fields, error codes).
 */

const http = require('node:http');

const state = { function: null, isPublished: false, versions: [], aliases: {}, triggers: {}, refused: {}, package: null, calls: [] };

class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

function there(value, code) {
  if (!value) throw new Refused(404, code, 'it does not exist');
  return value;
}

const theFunction = () => there(state.function, 'FunctionNotFound');
const isVersion = (name) => state.versions.some((one) => one.versionId === name);

function changed(name, change) {
  state.calls.push(name);
  if (state.refused[name]) throw new Refused(...state.refused[name]);
  return change();
}

function putFunction(fields) {
  const before = JSON.stringify(state.function);
  state.function = { ...state.function, ...fields, code: undefined, codeChecksum: '1', state: 'Active' };
  state.isPublished = state.isPublished && JSON.stringify(state.function) === before;
  return state.function;
}

function publish({ description = '' }) {
  theFunction();
  if (state.isPublished) {
    throw new Refused(400, 'VersionPublishError', "can not publish version, detail: 'No changes were made since last publish'");
  }
  state.isPublished = true;
  const version = { versionId: String(state.versions.length + 1), description, createdTime: '2026-11-28T13:00:00Z' };
  state.versions.unshift(version);
  return version;
}

function putAlias(fields) {
  const weights = fields.additionalVersionWeight || {};
  for (const version of [fields.versionId, ...Object.keys(weights)]) there(isVersion(version), 'VersionNotFound');
  for (const weight of Object.values(weights)) {
    if (!(weight >= 0 && weight <= 1)) throw new Refused(400, 'InvalidArgument', 'a weight is 0 to 1');
  }
  const { additionalVersionWeight } = state.aliases[fields.aliasName] || {};
  return (state.aliases[fields.aliasName] = { additionalVersionWeight, ...fields });
}

function putTrigger(fields) {
  const { qualifier = 'LATEST' } = fields;
  if (qualifier !== 'LATEST' && !isVersion(qualifier)) there(state.aliases[qualifier], 'AliasNotFound');
  const trigger = { ...fields, qualifier, triggerId: 'id' };
  if (fields.triggerType === 'http' || state.triggers[fields.triggerName]?.httpTrigger) {
    trigger.httpTrigger = { urlInternet: `https://signs-${qualifier.toLowerCase()}.cn-hangzhou.fcapp.run`, urlIntranet: '' };
  }
  return (state.triggers[fields.triggerName] = { ...state.triggers[fields.triggerName], ...trigger });
}

const nothing = () => ({});
const none = () => there(null, 'NotFound');
const ROUTES = [
  ['POST', /^$/, (_, body) => changed('function', () => putFunction(body))],
  ['GET', /^\/signs$/, theFunction],
  ['PUT', /^\/signs$/, (_, body) => changed('function', () => putFunction(body))],
  ['GET', /^\/signs\/code$/, () => ({ url: encodeURIComponent(there(state.package, 'AccessDenied')) })],
  ['GET', /^\/signs\/versions$/, () => theFunction() && { versions: state.versions }],
  ['POST', /^\/signs\/versions$/, (_, body) => changed('publish', () => publish(body))],
  ['GET', /^\/signs\/aliases$/, () => theFunction() && { aliases: Object.values(state.aliases) }],
  ['GET', /^\/signs\/aliases\/(.+)$/, (name) => theFunction() && there(state.aliases[name], 'AliasNotFound')],
  ['POST', /^\/signs\/aliases$/, (_, body) => changed('alias', () => putAlias(body))],
  ['PUT', /^\/signs\/aliases\/(.+)$/, (name, body) => changed('alias', () => putAlias({ ...body, aliasName: name }))],
  ['GET', /^\/signs\/triggers\/(.+)$/, (name) => theFunction() && there(state.triggers[name], 'TriggerNotFound')],
  ['POST', /^\/signs\/triggers$/, (_, body) => changed('trigger', () => putTrigger(body))],
  ['PUT', /^\/signs\/triggers\/(.+)$/, (name, body) => changed('trigger', () => putTrigger({ ...body, triggerName: name }))],
  ['GET', /^\/signs\/vpc-bindings$/, () => ({ vpcIds: [] })],
  ['GET', /^\/signs\/provision-config/, nothing],
  ['GET', /^\/signs\/(scaling-config|async-invoke-config|concurrency)$/, none],
  ['DELETE', /^\/signs\/(scaling-config|provision-config|async-invoke-config|concurrency)$/, nothing],
];
// Where the component puts the code.
const BUCKET = { credentials: { AccessKeyId: 'a', AccessKeySecret: 's', SecurityToken: 't' }, ossBucket: 'code-of-functions', ossRegion: 'cn-hangzhou', objectName: 'code.zip' };

function answer(method, path, body) {
  if (path === '/-/state') {
    if (method === 'GET') return state;
    return Object.assign(state, { calls: [] }, JSON.parse(body)) && {};
  }
  if (path.endsWith('/tempBucketToken')) return BUCKET;
  const below = '/2023-03-30/functions';
  if (!path.startsWith(below)) return {};
  for (const [verb, shape, act] of ROUTES) {
    const found = verb === method && shape.exec(path.slice(below.length));
    if (found) return act(found[1], body && JSON.parse(body));
  }
  throw new Refused(404, 'NotFound', `${method} ${path}`);
}

http.createServer(async (request, response) => {
  const pieces = [];
  for await (const piece of request) pieces.push(piece);
  let status = 200;
  let said;
  try {
    said = answer(request.method, new URL(request.url, 'http://control').pathname, Buffer.concat(pieces).toString());
  } catch (error) {
    status = error.status || 500;
    said = { Code: error.code || 'InternalError', Message: error.message, RequestId: '1-request' };
  }
  response.writeHead(status, { 'Content-Type': 'application/json', Connection: 'close', 'X-Fc-Request-Id': '1-request', ETag: '"e"' });
  response.end(JSON.stringify(said));
}).listen(0, '127.0.0.1', function listening() { console.log(this.address().port); });
