// Runs against a real payhook: PAYHOOK_BINARY names it. A socket in a folder of
// our own, the admin port picked by the system.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createTcp } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { after, before, test } from "node:test";
import { connect } from "./sidecar.js";
import { createServer } from "./server.js";

const SECRET = "whsec_" + "a1".repeat(16);
const folder = mkdtempSync(join(tmpdir(), "payhook-node-"));
const events = [];
let payhook, client, server, base;

async function freePort() {
  const probe = createTcp().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

before(async () => {
  const admin = `127.0.0.1:${await freePort()}`;
  writeFileSync(join(folder, "secret"), SECRET, { mode: 0o600 });
  writeFileSync(
    join(folder, "payhook.yaml"),
    `listen: unix:${folder}/s\nadmin_listen: ${admin}\nlog: {level: warn}\n` +
      `variants: {stripe: {gateway: stripe, keys: [{endpoint_secret: {file: ${folder}/secret}}]}}\n`,
  );
  const args = ["serve", "--config", join(folder, "payhook.yaml")];
  payhook = spawn(process.env.PAYHOOK_BINARY, args, { stdio: "inherit" });
  for (let tries = 0; tries < 100; tries += 1) {
    const probe = spawn(process.env.PAYHOOK_BINARY, ["probe", "--address", admin], { stdio: "ignore" });
    const [code] = await once(probe, "exit");
    if (code === 0) break;
    assert.ok(tries < 99, "payhook does not serve");
  }
  client = connect(`unix:${folder}/s`);
  server = createServer(client, (event) => events.push(event)).listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${server.address().port}`;
});

after(async () => {
  client?.close();
  server?.close();
  if (payhook?.exitCode === null) {
    payhook.kill("SIGTERM");
    const [code] = await once(payhook, "exit");
    assert.equal(code, 0);
  }
  rmSync(folder, { recursive: true, force: true });
});

function deliver(body, secret) {
  const now = Math.floor(Date.now() / 1000);
  const mac = createHmac("sha256", secret).update(`${now}.${body}`).digest("hex");
  const headers = { "Stripe-Signature": `t=${now},v1=${mac}` };
  return fetch(`${base}/payments/process/stripe/`, { method: "POST", body, headers });
}

const BODY = JSON.stringify({
  id: "evt_1", object: "event", type: "payment_intent.succeeded", created: 1700000000,
  livemode: false, api_version: "2025-03-31.basil",
  data: { object: { id: "pi_1", object: "payment_intent", amount: 1990, amount_received: 1990,
    currency: "eur", status: "succeeded", metadata: {} } },
});

test("a genuine webhook reaches the application over the socket", async () => {
  assert.equal((await deliver(BODY, SECRET)).status, 200);
  assert.equal(events.length, 1);
  assert.equal(events[0].status, "PAYMENT_STATUS_CONFIRMED");
});

test("a forged one does not", async () => {
  const answer = await deliver(BODY, "whsec_" + "b2".repeat(16));
  assert.equal(answer.status, 400);
  assert.deepEqual(await answer.json(), { error: "SIGNATURE_MISMATCH" });
  assert.equal(events.length, 1);
});

test("an unknown variant is not found", async () => {
  const answer = await fetch(`${base}/payments/process/nope/`, { method: "POST", body: "{}" });
  assert.equal(answer.status, 404);
});
