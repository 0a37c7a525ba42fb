// SPDX-License-Identifier: Apache-2.0
'use strict';

const assert = require('node:assert/strict');
const path = require('node:path');
const test = require('node:test');
const { analyse, duration, format } = require('./report.js');

const sample = path.join(__dirname, '..', 'sample.txt');

test('durations are for people', () => {
  assert.equal(duration(59), '59 s');
  assert.equal(duration(125), '2 min 5 s');
});

test('a report has a title, numbers and a bar for each word', () => {
  const stats = {
    lines: 1,
    words: 3,
    unique_words: 2,
    characters: 14,
    reading_seconds: 1,
    frequent: [['sheaf', 2], ['layer', 1]],
  };
  const lines = format('note', stats).split('\n');
  assert.deepEqual(lines.slice(0, 2), ['note', '----']);
  assert.match(lines[3], /^words +3$/);
  assert.match(lines[7], /^ {2}sheaf +2 ##$/);
});

test('the numbers come from the Python package', () => {
  const stats = analyse(sample);
  assert.equal(stats.lines, 4);
  assert.deepEqual(stats.frequent[0], ['a', 4]);
});

test('an error of the Python package is passed on', () => {
  assert.throws(() => analyse('no-such-file'), /measuring 'no-such-file': textstats: .*no-such-file/);
});
