'use strict';
// Half of each start of the tool is V8 compiling its modules: what it made of the large ones is kept in COMPILED.
// NODE_COMPILE_CACHE does the same from Node 22 on.

const crypto = require('node:crypto');
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const vm = require('node:vm');

const LARGE = 50000; // characters
const { _compile: compile } = Module.prototype;

Module.prototype._compile = function compileOnce(content, filename, ...rest) {
  if (content.length < LARGE) return compile.call(this, content, filename, ...rest);
  const file = path.join(process.env.COMPILED, crypto.createHash('md5').update(filename).digest('hex'));
  const cachedData = fs.existsSync(file) ? fs.readFileSync(file) : undefined;
  const script = new vm.Script(Module.wrap(content.replace(/^#!.*/, '')), { filename, cachedData });
  if (!cachedData) process.once('exit', () => keep(file, script));
  return script.runInThisContext().call(this.exports, this.exports, Module.createRequire(filename), this, filename, path.dirname(filename));
};

/** Whole or not at all, for another start may read it. */
function keep(file, script) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(`${file}.${process.pid}`, script.createCachedData());
  fs.renameSync(`${file}.${process.pid}`, file);
}
