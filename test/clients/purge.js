'use strict';

// Calls one function of the npm package "fastly" with the options in the
// second argument, and prints what it resolves to as JSON.

const Fastly = require('fastly');

const [call, options] = process.argv.slice(2);
Fastly.ApiClient.instance.authenticate(process.env.TOKEN);

new Fastly.PurgeApi()[call](JSON.parse(options))
  .then((data) => console.log(JSON.stringify(data)))
  .catch((error) => {
    console.error(error.status, error.response && error.response.text);
    process.exit(1);
  });
