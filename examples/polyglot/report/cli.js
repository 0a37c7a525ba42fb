#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
'use strict';

const { analyse, format } = require('./report.js');

const file = process.argv[2];
if (file === undefined) {
  console.error('usage: node report/cli.js FILE');
  process.exitCode = 2;
} else {
  try {
    console.log(format(file, analyse(file)));
  } catch (error) {
    console.error(`textstats-report: ${error.message}`);
    process.exitCode = 1;
  }
}
