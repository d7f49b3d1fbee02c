// Starts a real OpenID provider and Metsuke beside it, and signs people in as a browser without scripts would.
// usage: node scripts/oidc.mjs PATH-OF-METSUKE FOLDER-WITH-OIDC-PROVIDER
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [metsuke, folder] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(folder, "node_modules/oidc-provider/lib/index.js")));

const people = {
  ann: { email: "Ann@Example.com", email_verified: true, name: "Ann Lee", groups: ["staff", "platform"] },
  bob: { email: "bob@example.com", email_verified: true, name: "Bob", groups: ["staff"] },
  eve: { email: "ann@example.com", email_verified: false, name: "Eve", groups: ["platform"] },
};

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function key(algorithm, kid) {
  const { privateKey } =
    algorithm === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid, alg: algorithm, use: "sig" };
}

function startProvider(port, back, { algorithm, kid, inToken, method, secret }) {
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      {
        client_id: "metsuke",
        client_secret: secret,
        redirect_uris: [back],
        response_types: ["code"],
        grant_types: ["authorization_code"],
        id_token_signed_response_alg: algorithm,
        token_endpoint_auth_method: method,
      },
    ],
    clientAuthMethods: [method],
    enabledJWA: { idTokenSigningAlgValues: [algorithm] },
    conformIdTokenClaims: !inToken,
    claims: { email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    scopes: ["openid", "email", "profile", "groups"],
    cookies: { keys: ["one that signs cookies"] },
    jwks: { keys: [key(algorithm, kid)] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: async () => ({ sub: id, ...people[id] }) }),
  });
  return new Promise((resolve) => {
    const server = provider.listen(port, "127.0.0.1", () => resolve(server));
  });
}

const stopped = (server) => new Promise((resolve) => {
  server.closeAllConnections();
  server.close(resolve);
});

/** A browser that keeps cookies by host and goes where it is sent. */
class Browser {
  cookies = new Map();

  async go(url, form) {
    for (let hops = 0; hops < 20; hops += 1) {
      const { host, origin } = new URL(url);
      const jar = this.cookies.get(host) ?? new Map();
      const headers = { cookie: [...jar].map((pair) => pair.join("=")).join("; ") };
      const body = form && new URLSearchParams(form);
      if (form) headers.origin = origin;
      const answer = await fetch(url, { redirect: "manual", method: form ? "POST" : "GET", headers, body });
      for (const line of answer.headers.getSetCookie()) {
        const [name, value] = line.split(";")[0].split(/=(.*)/s);
        if (/max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) jar.delete(name);
        else jar.set(name, value);
      }
      this.cookies.set(host, jar);
      const place = answer.headers.get("location");
      if (!place) return { status: answer.status, url, text: await answer.text() };
      [url, form] = [new URL(place, url).href, undefined];
    }
    throw new Error("sent round in circles");
  }

  /** Signs in at the provider, and comes back. */
  async signIn(metsuke, person) {
    let page = await this.go(`${metsuke}/auth/oidc`);
    for (let pages = 0; pages < 3 && page.url.includes("/interaction/"); pages += 1) {
      const prompt = /name="prompt" value="([a-z]+)"/.exec(page.text)[1];
      const action = /action="([^"]+)"/.exec(page.text)[1];
      const fields = prompt === "login" ? { prompt, login: person, password: "any" } : { prompt };
      page = await this.go(new URL(action, page.url).href, fields);
    }
    return page;
  }
}

async function startMetsuke(database, port, issuer, secret) {
  const child = spawn(metsuke, ["serve", "--listen", `127.0.0.1:${port}`, "--database", `sqlite:${database}`], {
    env: {
      ...process.env,
      METSUKE_OIDC_ISSUER: issuer,
      METSUKE_OIDC_CLIENT_ID: "metsuke",
      METSUKE_OIDC_CLIENT_SECRET: secret,
      METSUKE_OIDC_SCOPES: "email profile groups",
      METSUKE_OIDC_ROLES: "staff=viewer,platform=operator",
      METSUKE_OIDC_NAME: "Example",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let log = "";
  child.stderr.on("data", (text) => (log += text));
  for (let tries = 0; tries < 200; tries += 1) {
    const ready = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
    if (ready?.ok) return { child, log: () => log };
    if (child.exitCode !== null) throw new Error(`metsuke ended: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`metsuke did not get ready: ${log}`);
}

let passed = 0;
function check(what, found, wanted) {
  assert.deepEqual(found, wanted, what);
  console.log(`ok    ${what}`);
  passed += 1;
}

const work = mkdtempSync(join(tmpdir(), "metsuke-oidc-"));
try {
  const cases = [
    { algorithm: "RS256", inToken: true, method: "client_secret_basic" },
    { algorithm: "ES256", inToken: false, method: "client_secret_post" },
  ];
  for (const settings of cases) {
    const { algorithm, inToken, method } = settings;
    const told = `${algorithm}, claims in the ${inToken ? "token" : "userinfo"}, ${method}:`;
    const [port, at] = [await freePort(), await freePort()];
    const [home, issuer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${at}`];
    const secret = "a secret with signs: +/=&";
    const config = { ...settings, kid: "key-1", secret };
    let server = await startProvider(at, `${home}/auth/oidc/callback`, config);
    const { child, log } = await startMetsuke(join(work, `${algorithm}.db`), port, issuer, secret);
    try {
      const session = async (browser) => JSON.parse((await browser.go(`${home}/api/v1/session`)).text);
      const ann = new Browser();
      const page = await ann.signIn(home, "ann");
      check(`${told} Ann signs in and sees who she is`, [page.status, page.url], [200, `${home}/`]);
      const { email, role, name } = await session(ann);
      check(`${told} by her verified address, with her groups' role`, [email, role, name], ["ann@example.com", "operator", "Ann Lee"]);
      const bob = new Browser();
      await bob.signIn(home, "bob");
      check(`${told} Bob has another role`, (await session(bob)).role, "viewer");
      const eve = new Browser();
      check(`${told} an address that is not verified lets nobody in`, (await eve.signIn(home, "eve")).status, 403);
      check(`${told} and gives no session`, (await eve.go(`${home}/api/v1/session`)).status, 401);

      await stopped(server);
      server = await startProvider(at, `${home}/auth/oidc/callback`, { ...config, kid: "key-2" });
      const later = new Browser();
      await later.signIn(home, "ann");
      check(`${told} a new key of the provider's is found`, (await session(later)).email, "ann@example.com");

      await stopped(server);
      server = await startProvider(at, `${home}/auth/oidc/callback`, { ...config, kid: "key-2", secret: "another" });
      check(`${told} a wrong client secret lets nobody in`, (await new Browser().signIn(home, "ann")).status, 403);

      check(`${told} the log holds no secret`, log().includes(secret), false);
    } finally {
      child.kill("SIGTERM");
      await stopped(server);
    }
  }
  console.log(`${passed} passed, 0 failed`);
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(0);
