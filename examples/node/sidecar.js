// The client side of payhook: one channel, one deadline, failures that stay failures.
import grpc from "@grpc/grpc-js";
import loader from "@grpc/proto-loader";

const PROTO = process.env.PROTO ?? new URL("../../proto", import.meta.url).pathname;
const DEADLINE_MS = 1000;

const definition = loader.loadSync("payhook/v1/webhook_service.proto", {
  includeDirs: [PROTO],
  longs: String,
  enums: String,
});
const { PaymentWebhookService } = grpc.loadPackageDefinition(definition).payhook.v1;

export class Refused extends Error {
  constructor(reason, httpStatus) {
    super(reason);
    this.reason = reason;
    this.httpStatus = httpStatus;
  }
}

export function connect(target = process.env.PAYHOOK_TARGET ?? "127.0.0.1:50051") {
  const client = new PaymentWebhookService(target, grpc.credentials.createInsecure(), {
    "grpc.default_authority": process.env.PAYHOOK_AUTHORITY ?? "localhost",
  });
  return {
    close: () => client.close(),
    // `body` is the Buffer as it arrived; `rawHeaders` is Node's flat list.
    verify: (variant, body, rawHeaders, method = "POST", url = "") =>
      new Promise((resolve, reject) => {
        const headers = [];
        for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
          headers.push({ name: rawHeaders[i], value: rawHeaders[i + 1] });
        }
        const request = { webhook: { variant, body, headers, method, url } };
        const deadline = Date.now() + DEADLINE_MS;
        client.VerifyAndParse(request, { deadline }, (error, answer) => {
          if (!error) return resolve(answer);
          const trailer = (name) => error.metadata?.get(name)[0];
          // No trailer: payhook did not answer. 503, so that the gateway delivers again.
          const status = Number(trailer("x-payhook-http-status") ?? 503);
          reject(new Refused(trailer("x-payhook-reason") ?? grpc.status[error.code], status));
        });
      }),
  };
}
