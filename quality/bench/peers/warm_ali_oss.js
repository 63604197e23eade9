// ali-oss's signing calls alone, with a client that is ready: the policy made, encoded and signed; and a URL.
'use strict';

const readline = require('node:readline');

const { newClient, presign, presignParts, sign } = require('./ali_oss_form.js');

const SLICE_MICROSECONDS = 30000;
// The compiler needs them; a server would have had them.
const WARM_UP_CALLS = 20000;
const WARM_UP_CALLS_OF_MANY = 1000; // each of which is twenty

const credentials = { id: 'STS.NTBenchRoleKeyId', secret: 'BenchRoleSecret000000000000000', token: 'T'.repeat(904) };
const client = newClient(credentials);
const calls = {
  signature: () => sign(client, credentials, 'uploads/public/2026/11/24/photo.jpg', 123456, new Date()),
  presigned: () => presign(client),
  'presigned parts': () => presignParts(client)
};

// Of processor time, as the Python contestants measure theirs. A call that gives a promise is waited for.
async function microseconds(call, number) {
  const started = process.cpuUsage();
  for (let index = 0; index < number; index += 1) {
    const made = call();
    if (made instanceof Promise) await made;
  }
  const { user, system } = process.cpuUsage(started);
  return user + system;
}

async function main() {
  const numbers = {};
  for (const [name, call] of Object.entries(calls)) {
    const number = name === 'presigned parts' ? WARM_UP_CALLS_OF_MANY : WARM_UP_CALLS;
    const spent = await microseconds(call, number);
    numbers[name] = Math.max(1, Math.round((number * SLICE_MICROSECONDS) / spent));
  }
  console.log(JSON.stringify(Object.fromEntries(Object.keys(calls).map((name) => [name, null]))));
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const name = line.trim();
    console.log(JSON.stringify((await microseconds(calls[name], numbers[name])) / numbers[name]));
  }
}

main();
