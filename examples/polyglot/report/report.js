// SPDX-License-Identifier: Apache-2.0
'use strict';

const { spawnSync } = require('node:child_process');
const path = require('node:path');

const project = path.join(__dirname, '..');

/** What the Python package counts in `file`. Throws with its message if it fails. */
function analyse(file) {
  const python = spawnSync('python3', ['-m', 'textstats', '--json', path.resolve(file)], {
    cwd: project,
    encoding: 'utf8',
  });
  if (python.error) {
    throw new Error(`running python3: ${python.error.message}`);
  }
  if (python.status !== 0) {
    throw new Error(`measuring '${file}': ${python.stderr.trim()}`);
  }
  return JSON.parse(python.stdout);
}

function duration(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** Lines of two columns, then a bar for each frequent word. */
function format(title, stats) {
  const rows = [
    ['lines', stats.lines],
    ['words', stats.words],
    ['different words', stats.unique_words],
    ['characters', stats.characters],
    ['reading time', duration(stats.reading_seconds)],
  ];
  const lines = [title, '-'.repeat(title.length)];
  for (const [name, value] of rows) {
    lines.push(name.padEnd(16) + String(value).padStart(10));
  }
  for (const [word, count] of stats.frequent) {
    lines.push(`  ${word.padEnd(14)}${String(count).padStart(10)} ${'#'.repeat(Math.min(count, 40))}`);
  }
  return lines.join('\n');
}

module.exports = { analyse, duration, format };
