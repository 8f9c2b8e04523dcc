// An OpenID issuer on loopback for tests: `node server.mjs PORT REDIRECT_URI`; says "ready" when it listens.
// Whoever signs in as NAME is NAME@example.org; "boss" administers, everybody may speak of hydrology.
import { Provider } from 'oidc-provider';

const [port, redirect] = process.argv.slice(2);
const flows = ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'];
const client = (client_id) => ({
  client_id,
  token_endpoint_auth_method: 'none',
  grant_types: flows,
  response_types: ['code'],
  redirect_uris: [redirect],
});
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [client('terrella'), client('another')],
  claims: {
    openid: ['sub'],
    email: ['email'],
    profile: ['preferred_username', 'roles', 'realm'],
  },
  conformIdTokenClaims: false, // so that an ID token carries the claims of its scopes
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      preferred_username: id,
      email: `${id}@example.org`,
      roles: id === 'boss' ? ['hydrology', 'chiefs'] : ['hydrology', 'administrator', 'group:secret'],
      realm: { groups: ['field'] },
    }),
  }),
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: true } },
  cookies: { keys: ['for tests only'] },
});
provider.listen(Number(port), '127.0.0.1', () => console.log('ready'));
