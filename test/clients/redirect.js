'use strict';

// Preloaded before a client whose API host is fixed in its code: what it sends
// to that host over TLS goes to $ADMIN (host:port) in clear. All else about a
// request, the Host field too, stays as the client made it.

const http = require('http');
const https = require('https');

const api = 'api.fastly.com';
const [host, port] = process.env.ADMIN.split(':');

https.request = (options, callback) => {
  if (options.host !== api) {
    throw new Error(`the client asks ${options.host}, not ${api}`);
  }
  const redirected = { ...options, protocol: 'http:', host, port, agent: undefined, setHost: false };
  const request = http.request(redirected, callback);
  request.setHeader('Host', api);
  return request;
};
