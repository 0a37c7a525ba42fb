import {existsSync, readFileSync} from 'node:fs';
import {userInfo} from 'node:os';
import colors from 'picocolors';

console.log(colors.isColorSupported ? 'in colour' : 'plain', 'as', userInfo().username);
console.log('marked is', existsSync('node_modules/marked') ? 'here' : 'not here');
process.stdout.write(readFileSync('public/index.html', 'utf8'));
