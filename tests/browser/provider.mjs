// A provider of identities, certified by the OpenID Foundation and not ours: it takes whoever comes by the name they
// type. Says where it is, and runs until it is killed.
//
// Arguments: where its modules are, and where browsers go back to.

import { createRequire } from "node:module";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules, back] = process.argv.slice(2);
const { Provider } = await import(pathToFileURL(createRequire(`${modules}/`).resolve("oidc-provider")));

const server = createServer();
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const issuer = `http://127.0.0.1:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: "noroshi", client_secret: "told to nobody", redirect_uris: [back] }],
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  cookies: { keys: ["of this test alone"] },
});
server.on("request", provider.callback());
console.log(issuer);
