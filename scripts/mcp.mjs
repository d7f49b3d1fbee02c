// Starts Metsuke beside a simulated Heroku and calls each of its tools with the protocol's own clients, which hold every
// answer against the schema of its tool.
// usage: node scripts/mcp.mjs PATH-OF-METSUKE FOLDER-WITH-CLIENTS
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [metsuke, folder] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(join(folder, "node_modules/@modelcontextprotocol", path)));
const older = { ...(await load("sdk/dist/esm/client/index.js")), ...(await load("sdk/dist/esm/client/streamableHttp.js")) };
const newer = await load("client/dist/index.mjs");

const home = mkdtempSync(join(tmpdir(), "metsuke-mcp-"));
const database = ["--database", `sqlite:${join(home, "metsuke.db")}`];
const environment = { PATH: process.env.PATH, HOME: home };
const children = [];

/** Starts a command and gives what its first lines tell by each of these patterns. */
function started(args, ...patterns) {
  const child = spawn(metsuke, args, { env: environment, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const found = patterns.map(() => undefined);
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`${args.join(" ")} ended with ${code}`)));
    createInterface({ input: child.stdout }).on("line", (line) => {
      patterns.forEach((pattern, place) => (found[place] ??= line.match(pattern)?.[1]));
      if (found.every((one) => one !== undefined)) resolve(found);
    });
  });
}

function token(role) {
  const made = spawnSync(metsuke, [...database, "token", "create", "--role", role, "--name", "assistant"], { env: environment });
  assert.equal(made.status, 0, made.stderr.toString());
  return made.stdout.toString().trim().split("\n").at(-1);
}

async function api(base, bearer, path, body) {
  const response = await fetch(`${base}/api/v1${path}`, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${bearer}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  });
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}

/** Calls every tool; the client refuses an answer that its tool's schema does not allow. */
async function everyTool(client, estate, withPlans) {
  const { tools } = await client.listTools();
  const names = tools.map((tool) => tool.name);
  assert.equal(names.includes("propose_plan"), withPlans);
  assert.ok(!names.some((name) => /apply|approve/.test(name)));
  const called = new Set();
  const call = async (name, given = {}) => {
    const answer = await client.callTool({ name, arguments: given });
    called.add(name);
    assert.ok(!answer.isError, `${name}: ${answer.content[0].text}`);
    assert.ok(answer.structuredContent.notice, name);
    return answer.structuredContent;
  };
  const { data: apps, sources } = await call("list_apps", { limit: 500 });
  assert.equal(apps.length, estate.apps);
  assert.deepEqual(sources.map((source) => source.name), ["acme"]);
  const { data: lines } = await call("who_can_access", { app: apps[0].name });
  assert.ok(lines.length > 0);
  await call("what_person_reaches", { person: lines[0].principal.email });
  await call("search", { kind: "app", text: apps[0].name.slice(0, 3) });
  await call("query", { query: "FIND heroku_team AS t RETURN t.name" });
  for (const name of ["list_people", "list_teams", "list_changes", "list_connectors", "graph_types"]) await call(name);
  const { questions } = await call("list_questions", { words: "second factor" });
  const ready = questions.find((question) => question.variables.every((one) => one.default !== undefined));
  await call("ask_question", { id: ready.id });
  const { data: findings } = await call("list_findings", { state: "open" });
  if (findings.length > 0) await call("get_finding", { id: findings[0].id });
  if (withPlans) {
    const team = estate.team;
    const proposed = await call("propose_plan", { action: "grant", user: "new@example.com", team, role: "member", reason: "for a trial" });
    assert.equal(proposed.plan.status, "planned");
    const { plan } = await call("get_plan", { id: proposed.plan.id });
    assert.equal(plan.id, proposed.plan.id);
  }
  const unseen = names.filter((name) => !called.has(name) && name !== "get_finding");
  assert.deepEqual(unseen, []);
  const wrong = await client.callTool({ name: "query", arguments: { query: "FIND User RETRN" } });
  assert.ok(wrong.isError && JSON.parse(wrong.content[0].text).fields[0].line === 1);
  return called.size;
}

try {
  const simulate = ["simulate", "--listen", "127.0.0.1:0", "--size", "small"];
  const [heroku, secret] = await started(simulate, /^listening on (\S+)/, /^token (\S+)/);
  const [base] = await started([...database, "serve", "--listen", "127.0.0.1:0"], /^listening on (\S+)/);
  const admin = token("admin");
  const { id } = await api(base, admin, "/connectors", {
    name: "acme", kind: "heroku", owner: "ann@example.com", api_token: secret, api_url: heroku,
    polling_interval: "DISABLED", tag_account_name: "acme", provisioning: true, description: "for a trial",
  });
  for (let state = "new"; state !== "connected"; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    ({ state } = await api(base, admin, `/connectors/${id}`));
  }
  const estate = {
    apps: (await api(base, admin, "/apps?limit=500")).data.length,
    team: (await api(base, admin, "/teams")).data[0].name,
  };
  const info = { name: "trial", version: "1.0.0" };
  const kinds = [
    ["the client of 2025-11-25", older, {}],
    ["the client of 2026-07-28", newer, { versionNegotiation: { mode: "auto" } }],
    ["the same after a handshake", newer, { versionNegotiation: { mode: "legacy" } }],
  ];
  for (const [title, { Client, StreamableHTTPClientTransport }, options] of kinds) {
    for (const role of ["operator", "viewer"]) {
      const headers = { authorization: `Bearer ${token(role)}` };
      const client = new Client(info, options);
      await client.connect(new StreamableHTTPClientTransport(new URL("/mcp", base), { requestInit: { headers } }));
      assert.equal(client.getServerVersion().name, "metsuke");
      const count = await everyTool(client, estate, role === "operator");
      const era = client.getProtocolEra?.() ?? "legacy";
      await client.close();
      console.log(`${title}, as ${role}: ${count} tools (${era})`);
    }
  }
  const client = new older.Client(info);
  await assert.rejects(client.connect(new older.StreamableHTTPClientTransport(new URL("/mcp", base))));
  console.log("without a token: refused");
} finally {
  for (const child of children) child.removeAllListeners("exit").kill();
  rmSync(home, { recursive: true, force: true });
}
