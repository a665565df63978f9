// A client of payhook: one channel, a deadline, and failures that stay failures.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";
import protobuf from "protobufjs";

const PROTO = process.env.PROTO ?? new URL("../../proto", import.meta.url).pathname;
const HERE = new URL(".", import.meta.url).pathname;
const CONTRACT = "payhook/v1/webhook_service.proto";
const OPTIONS = { longs: Number, enums: String, defaults: true };
const DEADLINE_MS = 5000;

const definition = loader.loadSync(CONTRACT, { ...OPTIONS, includeDirs: [PROTO] });
const { PaymentWebhookService } = grpc.loadPackageDefinition(definition).payhook.v1;

// gRPC hands details over as bytes: these are their types.
const types = new protobuf.Root();
const found = types.resolvePath;
types.resolvePath = (origin, target) =>
  target.startsWith("payhook/") ? `${PROTO}/${target}` : found.call(types, origin, target);
types.loadSync([`${HERE}/google/rpc/details.proto`, CONTRACT]);

function decode(name, bytes) {
  const type = types.lookupType(name);
  return type.toObject(type.decode(bytes), { ...OPTIONS, arrays: true, objects: true });
}

// Not verified, or nobody answered. `httpStatus` is the answer to the gateway.
export class Refused extends Error {
  constructor(error) {
    super(error.details);
    this.code = error.code;
    const details = {};
    const [bytes] = error.metadata?.get("grpc-status-details-bin") ?? [];
    for (const any of bytes ? decode("google.rpc.Status", bytes).details : []) {
      const name = any.type_url.split("/").pop();
      details[name] = decode(name, any.value);
    }
    // Without a reason it was not payhook that answered, and nothing is known about the webhook:
    // 503, so that the gateway delivers it again.
    this.info = details["google.rpc.ErrorInfo"];
    this.reason = this.info?.reason;
    this.diagnostics = details["payhook.v1.ErrorDiagnostics"];
    this.httpStatus = this.diagnostics?.reply?.status || 503;
    const delay = details["google.rpc.RetryInfo"]?.retryDelay;
    this.retryMs = delay ? delay.seconds * 1000 + delay.nanos / 1e6 : 0;
  }
}

// Make one for a process. grpc-js sends `localhost` over a Unix socket by itself; saying so keeps
// it from changing.
export class Payhook {
  constructor(target = "127.0.0.1:50051", { authority = "localhost", token } = {}) {
    const options = authority ? { "grpc.default_authority": authority } : {};
    this.client = new PaymentWebhookService(target, grpc.credentials.createInsecure(), options);
    // Waits for a server that restarts, for as long as the deadline allows.
    this.metadata = new grpc.Metadata({ waitForReady: true });
    if (token) this.metadata.set("authorization", `Bearer ${token}`);
  }

  verify(webhook, deadlineMs) {
    return this.call("VerifyAndParse", { webhook }, deadlineMs);
  }

  mapStatus(request, deadlineMs) {
    return this.call("MapStatus", request, deadlineMs);
  }

  call(method, request, deadlineMs = DEADLINE_MS) {
    return new Promise((resolve, reject) => {
      const deadline = Date.now() + deadlineMs;
      this.client[method](request, this.metadata, { deadline }, (error, answer) =>
        error ? reject(new Refused(error)) : resolve(answer));
    });
  }
}
