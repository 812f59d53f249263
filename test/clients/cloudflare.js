'use strict';

// Purges by the npm package "cloudflare", with the parameters in the first
// argument, and prints what it resolves to as JSON. The token is $TOKEN, or with
// $EMAIL the older kind of key.

const Cloudflare = require('cloudflare');

const { ADMIN, TOKEN, EMAIL } = process.env;
const client = new Cloudflare({
  baseURL: `http://${ADMIN}/client/v4`,
  maxRetries: 0,
  ...(EMAIL ? { apiEmail: EMAIL, apiKey: TOKEN, apiToken: null } : { apiToken: TOKEN, apiKey: null, apiEmail: null }),
});

async function main() {
  const parameters = JSON.parse(process.argv[2]);
  if (parameters.zone_name) {
    for await (const zone of client.zones.list({ name: parameters.zone_name })) {
      parameters.zone_id = zone.id;
    }
    delete parameters.zone_name;
  }
  return client.cache.purge(parameters);
}

main()
  .then((data) => console.log(JSON.stringify(data)))
  .catch((error) => {
    console.error(error.constructor.name, error.status, JSON.stringify(error.errors));
    process.exit(1);
  });
