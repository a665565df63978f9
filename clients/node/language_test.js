// payhook.js against the built server: see ../languages.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import { Payhook, Refused } from "./payhook.js";

const CASES = JSON.parse(readFileSync(process.env.PAYHOOK_CASES, "utf8"));
const SOCKET = `unix:${process.env.PAYHOOK_SOCKET}`;
const { UNAVAILABLE, OK } = grpc.status;
const METHOD = "/payhook.v1.PaymentWebhookService/VerifyAndParse";
// As the generated contract of grpc.health.v1 has it.
const HEALTH = loader.fromJSON({
  nested: { grpc: { nested: { health: { nested: { v1: { nested: {
    HealthCheckRequest: { fields: { service: { type: "string", id: 1 } } },
    HealthCheckResponse: {
      nested: { S: { values: { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } } },
      fields: { status: { type: "S", id: 1 } },
    },
    Health: { methods: {
      Check: { requestType: "HealthCheckRequest", responseType: "HealthCheckResponse" },
      Watch: { requestType: "HealthCheckRequest", responseType: "HealthCheckResponse",
        responseStream: true },
    } },
  } } } } } } },
}, { enums: String, defaults: true });
const { Health } = grpc.loadPackageDefinition(HEALTH).grpc.health.v1;

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
async function ask(step) {
  console.log(`@${step}`);
  return (await lines.next()).value;
}

function webhook(given) {
  const headers = given.headers.map(([name, value]) => ({ name, value }));
  return { ...given, headers, body: Buffer.from(given.body, "base64") };
}
const GENUINE = CASES.genuine.map(webhook);

async function refused(promise) {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new Error("not refused");
}

// A refusal in the words of the cases.
function seen(error) {
  const { info, diagnostics } = error;
  assert.equal(info.domain, "payhook.v1");
  const cause = diagnostics.cause.replace("MISMATCH_CAUSE_", "");
  const told = Object.entries({
    variant: diagnostics.variant, gateway: diagnostics.gateway,
    httpStatus: String(error.httpStatus), cause: cause === "UNSPECIFIED" ? "" : cause,
  }).filter(([, value]) => value !== "");
  assert.deepEqual(info.metadata, Object.fromEntries(told), "the metadata of ErrorInfo");
  return {
    code: error.code,
    reason: error.reason,
    http_status: error.httpStatus,
    redelivery_may_succeed: diagnostics.redeliveryMaySucceed,
    retry_ms: error.retryMs,
    verified: diagnostics.verified,
    body_sha256: Buffer.from(diagnostics.bodySha256).toString("hex"),
    key_labels: diagnostics.keyLabelsTried,
  };
}

async function table(payhook) {
  for (const { name, webhook: given, expect } of CASES.table) {
    if (expect === null) await payhook.verify(webhook(given));
    else assert.deepEqual(seen(await refused(payhook.verify(webhook(given)))), expect, name);
  }
  return CASES.table.length;
}

// A call whose message never comes: the method, called as if it took a stream.
async function late(payhook) {
  const same = (bytes) => bytes;
  const error = await new Promise((resolve) => {
    const deadline = Date.now() + 10_000;
    payhook.client.makeClientStreamRequest(METHOD, same, same, new grpc.Metadata(), { deadline },
      (error) => resolve(new Refused(error)));
  });
  assert.deepEqual(seen(error), CASES.late, "a message that does not come");
}

async function genuine(payhook) {
  const { events } = await payhook.verify(GENUINE[0]);
  const [event] = events;
  assert.equal(events.length, 1);
  assert.equal(event.type, "EVENT_TYPE_CHECKOUT_COMPLETED");
  const { currencyCode, minorUnits, decimal } = event.amount;
  assert.deepEqual([currencyCode, minorUnits, decimal], ["EUR", 1990, "19.90"]);
  const oversize = await refused(payhook.verify(webhook(CASES.oversize)));
  assert.deepEqual([oversize.code, oversize.reason, oversize.httpStatus],
    [grpc.status.OUT_OF_RANGE, undefined, 503]);
  return event;
}

async function mapStatus(payhook, event) {
  const current = { status: "PAYMENT_STATUS_WAITING", total: event.amount, merchantReference: "order-1" };
  const first = await payhook.mapStatus({ webhook: GENUINE[0], current });
  assert.deepEqual([first.advice, first.status, first.captured.minorUnits, first.event.id],
    ["TRANSITION_ADVICE_APPLY", "PAYMENT_STATUS_CONFIRMED", 1990, event.id]);
  current.lastEventId = event.id;
  const repeat = await payhook.mapStatus({ event, current });
  assert.deepEqual([repeat.advice, repeat.rule], ["TRANSITION_ADVICE_NO_OP", "same-event"]);
  const forged = await refused(payhook.mapStatus({ webhook: webhook(CASES.forged), current }));
  assert.equal(forged.reason, "SIGNATURE_MISMATCH");
}

// Messages of a call, one at a time; `next` rejects where the call breaks.
class Messages {
  constructor(call) {
    this.call = call;
    this.all = call[Symbol.asyncIterator]();
  }

  async next() {
    const { value, done } = await this.all.next();
    assert.ok(!done, "the stream ended");
    return value;
  }

  send(correlationId, given) {
    this.call.write({ correlationId, webhook: given });
    return this.next();
  }

  async end() {
    this.call.end();
    assert.equal((await this.all.next()).done, true);
  }

  async breaks() {
    return this.next().then(() => OK, (error) => error);
  }
}
const open = (payhook) => new Messages(payhook.client.VerifyAndParseStream());

async function stream(payhook) {
  const streams = [open(payhook)];
  const items = [GENUINE[0], webhook(CASES.forged), GENUINE[1], GENUINE[2]];
  for (const [number, item] of items.entries()) {
    const answer = await streams[0].send(number, item);
    assert.equal(answer.correlationId, number);
    if (number !== 1) {
      assert.equal(answer.success.events[0].merchantReference, "order-1");
      continue;
    }
    const { code, reason, diagnostics } = answer.failure;
    assert.deepEqual([code, reason, diagnostics.reply.status, diagnostics.keyLabelsTried],
      [16, "ERROR_REASON_SIGNATURE_MISMATCH", 400, ["spring"]]);
  }
  // Streams get half of the calls: one more is shed, a unary call is not.
  while (streams.length < CASES.streams_max) {
    streams.push(open(payhook));
    await streams.at(-1).send(1, GENUINE[0]);
  }
  const shed = await open(payhook).send(1, GENUINE[0]).then(() => assert.fail("not shed"), (e) => e);
  const { reason, httpStatus, retryMs } = new Refused(shed);
  assert.deepEqual([reason, httpStatus, retryMs], ["OVERLOADED", 503, 200]);
  assert.deepEqual(shed.metadata.get("grpc-retry-pushback-ms"), ["200"]);
  await payhook.verify(GENUINE[0]);
  for (const one of streams) await one.end();
}

async function deadline(payhook) {
  await ask("freeze");
  const { code, reason, httpStatus } = await refused(payhook.verify(GENUINE[0], 300));
  await ask("thaw");
  assert.deepEqual([code, reason, httpStatus], [grpc.status.DEADLINE_EXCEEDED, undefined, 503]);
  await payhook.verify(GENUINE[0]);
}

// grpc-js needs no option over a Unix socket: its own authority there is `localhost`.
async function authority() {
  const payhook = new Payhook(SOCKET, { authority: null });
  assert.equal((await payhook.verify(GENUINE[0])).events.length, 1);
  const owner = new Payhook(SOCKET, { token: CASES.token });
  assert.equal((await owner.verify(webhook(CASES.owned))).events.length, 1);
}

async function health() {
  const client = new Health(process.env.PAYHOOK_ADMIN, grpc.credentials.createInsecure());
  const check = (service) => new Promise((resolve) =>
    client.Check({ service }, (error, answer) => resolve(error?.code ?? answer.status)));
  for (const service of ["", "payhook.v1.PaymentWebhookService", "readiness"]) {
    // Readiness is told a moment after the start.
    const watch = new Messages(client.Watch({ service }, { deadline: Date.now() + 10_000 }));
    while ((await watch.next()).status !== "SERVING");
    watch.call.on("error", () => {}).cancel();
    assert.equal(await check(service), "SERVING", service);
  }
  assert.equal(await check("nobody"), grpc.status.NOT_FOUND);
  return new Messages(client.Watch({ service: "" }));
}

// One call that does not wait for a server; its code.
const plain = ({ client }) => new Promise((resolve) =>
  client.VerifyAndParse({ webhook: GENUINE[0] }, { deadline: Date.now() + 5000 },
    (error) => resolve(error?.code ?? OK)));

// Drained: what is under way finishes, what is new is told to come back.
async function restart(payhook, watch) {
  const underWay = open(payhook);
  let stuck = open(payhook);
  await underWay.send(1, GENUINE[0]);
  await stuck.send(1, GENUINE[0]);
  assert.equal((await watch.next()).status, "SERVING");
  await ask("drain");
  assert.equal((await watch.next()).status, "NOT_SERVING");
  const until = Date.now() + 5000;
  let code;
  while ((code = await plain(payhook)) === OK) assert.ok(Date.now() < until, "still served");
  assert.equal(code, UNAVAILABLE, "while draining");
  const { success } = await underWay.send(2, GENUINE[1]);
  assert.equal(success.events[0].merchantReference, "order-1");
  await underWay.end();
  const cut = await stuck.breaks();
  assert.equal(await ask("wait"), "exit 0");
  assert.equal(await plain(payhook), UNAVAILABLE, "while it is down");
  await ask("start");
  // The same channel, made before.
  await payhook.verify(GENUINE[0], 20_000);
  stuck = open(payhook);
  await stuck.send(1, GENUINE[0]);
  await ask("kill");
  const killed = await stuck.breaks();
  await ask("start");
  assert.deepEqual([cut.code, killed.code], [UNAVAILABLE, UNAVAILABLE],
    `cut at the drain's end: ${cut}, killed: ${killed}`);
}

// Callers that repeat what UNAVAILABLE ended lose nothing, however the server goes.
async function storm() {
  const payhook = new Payhook(SOCKET);
  const codes = new Set();
  let over = false;
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  async function caller() {
    let count = 0;
    for (; !over; count += 1) {
      const until = Date.now() + 20_000;
      for (let code; (code = await plain(payhook)) !== OK;) {
        codes.add(code);
        assert.ok(Date.now() < until, "unavailable for too long");
        await pause(10);
      }
    }
    return count;
  }
  const callers = Array.from({ length: 6 }, caller);
  for (const step of ["kill", "drain", "kill", "drain", "kill", "drain"]) {
    await pause(200);
    await ask(step);
    if (step === "drain") assert.equal(await ask("wait"), "exit 0");
    await ask("start");
    await payhook.verify(GENUINE[0], 20_000);
  }
  over = true;
  const answered = await Promise.all(callers);
  assert.deepEqual([...codes], [UNAVAILABLE], "codes of lost calls");
  return answered.reduce((sum, count) => sum + count);
}

const channels = { tcp: new Payhook(process.env.PAYHOOK_TCP), socket: new Payhook(SOCKET) };
for (const [name, payhook] of Object.entries(channels)) {
  const rows = await table(payhook);
  await late(payhook);
  await mapStatus(payhook, await genuine(payhook));
  await stream(payhook);
  await deadline(payhook);
  console.log(`${name}: ${rows} rows of the table, MapStatus, stream, shed, deadlines, sizes`);
}
await authority();
await restart(channels.socket, await health());
console.log(`authority, health, drain, restart, kill; ${await storm()} calls over 6 restarts, none lost`);
process.exit(0);
