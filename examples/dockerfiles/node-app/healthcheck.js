require('http').get({host: '127.0.0.1', port: Number(process.env.PORT || 3000)}, (response) => {
  console.log(response.statusCode, response.headers['content-type']);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
  response.resume();
}).on('error', (error) => {
  console.error(error.message);
  process.exitCode = 1;
});
