// Answers with the time since the start, in words.
const http = require('http');
const ms = require('ms');
const mime = require('mime-types');

const answer = (seconds) => `up for ${ms(seconds * 1000, {long: true})}\n`;

if (process.argv.includes('--once')) {
  process.stdout.write(answer(7200));
} else {
  http.createServer((request, response) => {
    response.setHeader('content-type', mime.contentType('text.txt'));
    response.end(answer(process.uptime()));
  }).listen(Number(process.env.PORT || 3000), '127.0.0.1', () => console.log('listening'));
}
