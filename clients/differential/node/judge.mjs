// The verifying functions of the SDKs from npm, each called as its documentation says. A webhook
// comes in as one line of JSON; what the SDK read goes out, or null where it refuses.
import { createInterface } from "node:readline";

import adyen from "@adyen/api-library";
import { Environment, Paddle } from "@paddle/paddle-node-sdk";
import "@shopify/shopify-api/adapters/node";
import { ApiVersion, shopifyApi } from "@shopify/shopify-api";
import braintree from "braintree";
import * as gocardless from "gocardless-nodejs";
import { WebhookSignatureValidator } from "mercadopago";
import { SignatureValidator } from "mollie-api-typescript";
import Razorpay from "razorpay";
import { WebhooksHelper } from "square";
import { Webhook as StandardWebhook } from "standardwebhooks";
import Stripe from "stripe";
import { Webhook as SvixWebhook } from "svix";

const paddle = new Paddle("unused", { environment: Environment.sandbox, logLevel: "none" });
const stripe = new Stripe("sk_test_unused");

const judges = {
  "@adyen/api-library": ({ body, settings }) => {
    const validator = new adyen.hmacValidator();
    const items = JSON.parse(body).notificationItems;
    const judged = items.map((it) => validator.validateHMAC(it.NotificationRequestItem, settings.key));
    return judged.length > 0 && judged.every(Boolean);
  },
  "@paddle/paddle-node-sdk": ({ body, headers, settings }) =>
    paddle.webhooks.isSignatureValid(body.toString(), settings.secret, headers["paddle-signature"] ?? ""),
  "@shopify/shopify-api": async ({ body, headers, settings }) => {
    const shopify = shopifyApi({
      apiKey: "unused",
      apiSecretKey: settings.secret,
      apiVersion: ApiVersion.Unstable ?? "unstable",
      hostName: "shop.example",
      isEmbeddedApp: false,
      logger: { level: 0 },
    });
    const rawRequest = { method: "POST", url: "/", headers };
    const result = await shopify.webhooks.validate({ rawBody: body.toString(), rawRequest, rawResponse: {} });
    return result.valid;
  },
  braintree: async ({ body, settings }) => {
    const gateway = new braintree.BraintreeGateway({
      environment: braintree.Environment.Sandbox,
      merchantId: "merchant",
      publicKey: settings.public,
      privateKey: settings.private,
    });
    const form = new URLSearchParams(body.toString());
    const parsed = await gateway.webhookNotification.parse(form.get("bt_signature"), form.get("bt_payload"));
    return { types: [parsed.kind] };
  },
  "gocardless-nodejs": ({ body, headers, settings }) => {
    const events = gocardless.parse(body, settings.secret, headers["webhook-signature"]);
    return { ids: events.map((event) => event.id ?? "") };
  },
  mercadopago: ({ headers, settings, url }) => {
    WebhookSignatureValidator.validate({
      xSignature: headers["x-signature"],
      xRequestId: headers["x-request-id"],
      dataId: new URL(url).searchParams.get("data.id"),
      secret: settings.secret,
      toleranceSeconds: 300,
    });
    return true;
  },
  "mollie-api-typescript": ({ body, values, settings }) => {
    const named = values.filter(([name]) => name.toLowerCase() === "x-mollie-signature");
    const signatures = named.map(([, value]) => value.trim());
    return new SignatureValidator(settings.secret).validatePayload(body.toString(), signatures);
  },
  razorpay: ({ body, headers, settings }) =>
    Razorpay.validateWebhookSignature(body.toString(), headers["x-razorpay-signature"], settings.secret),
  square: ({ body, headers, settings, url }) =>
    WebhooksHelper.verifySignature({
      requestBody: body.toString(),
      signatureHeader: headers["x-square-hmacsha256-signature"],
      signatureKey: settings.secret,
      notificationUrl: url,
    }),
  standardwebhooks: ({ body, headers, settings }) => {
    new StandardWebhook(settings.secret).verify(body.toString(), headers);
    return true;
  },
  stripe: ({ body, headers, settings }) => {
    const thin = JSON.parse(body).object === "v2.core.event";
    const read = thin ? stripe.parseEventNotification.bind(stripe) : stripe.webhooks.constructEvent.bind(stripe.webhooks);
    const event = read(body, headers["stripe-signature"], settings.secret);
    return { ids: [event.id], types: [event.type] };
  },
  svix: ({ body, headers, settings }) => {
    new SvixWebhook(settings.secret).verify(body.toString(), headers);
    return true;
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  const judge = judges[question.sdk];
  if (judge === undefined) throw new Error(`no such SDK: ${question.sdk}`);
  let read = null;
  try {
    read = (await judge({ ...question, body: Buffer.from(question.body, "base64") })) || null;
  } catch {
    // Every SDK has its own exception for a refusal, and most have several.
  }
  process.stdout.write(`${JSON.stringify(read)}\n`);
}
