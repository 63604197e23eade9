// Cold start of nothing at all: what Node costs by itself.
'use strict';

console.log('{}');
process.stdin.resume();
