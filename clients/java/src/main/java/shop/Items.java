package shop;

import dev.payhook.v1.PaymentWebhookServiceGrpc;
import dev.payhook.v1.VerifyAndParseStreamRequest;
import dev.payhook.v1.VerifyAndParseStreamResponse;
import dev.payhook.v1.WebhookRequest;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A VerifyAndParseStream whose items are sent one by one. */
final class Items implements StreamObserver<VerifyAndParseStreamResponse> {
  /** An answer, an error, or the end. */
  private final LinkedBlockingQueue<Optional<Object>> came = new LinkedBlockingQueue<>();

  private final StreamObserver<VerifyAndParseStreamRequest> items;

  Items(Payhook client) {
    items = PaymentWebhookServiceGrpc.newStub(client.channel).verifyAndParseStream(this);
  }

  void offer(long number, WebhookRequest webhook) {
    var item = VerifyAndParseStreamRequest.newBuilder();
    items.onNext(item.setCorrelationId(number).setWebhook(webhook).build());
  }

  VerifyAndParseStreamResponse send(long number, WebhookRequest webhook) throws Exception {
    offer(number, webhook);
    return (VerifyAndParseStreamResponse) next().orElseThrow();
  }

  void end() throws Exception {
    items.onCompleted();
    Cases.same(Optional.empty(), next(), "the end of a stream");
  }

  StatusRuntimeException broken() throws Exception {
    return (StatusRuntimeException) next().orElseThrow();
  }

  private Optional<Object> next() throws Exception {
    var next = came.poll(30, TimeUnit.SECONDS);
    if (next == null) {
      throw new AssertionError("nothing came");
    }
    return next;
  }

  @Override
  public void onNext(VerifyAndParseStreamResponse answer) {
    came.add(Optional.of(answer));
  }

  @Override
  public void onError(Throwable error) {
    came.add(Optional.of(error));
  }

  @Override
  public void onCompleted() {
    came.add(Optional.empty());
  }
}
