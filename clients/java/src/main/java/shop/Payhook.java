package shop;

import dev.payhook.v1.MapStatusRequest;
import dev.payhook.v1.MapStatusResponse;
import dev.payhook.v1.PaymentWebhookServiceGrpc;
import dev.payhook.v1.PaymentWebhookServiceGrpc.PaymentWebhookServiceBlockingStub;
import dev.payhook.v1.VerifyAndParseRequest;
import dev.payhook.v1.VerifyAndParseResponse;
import dev.payhook.v1.WebhookRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** A client of payhook: one channel, a deadline, and failures that stay failures. */
public final class Payhook implements AutoCloseable {
  private static final Metadata.Key<String> AUTHORIZATION =
      Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);
  private static final Duration DEADLINE = Duration.ofSeconds(5);

  public final ManagedChannel channel;
  private final PaymentWebhookServiceBlockingStub stub;

  /** Make one for a process: 127.0.0.1:50051 or unix:///run/payhook/payhook.sock. */
  public Payhook(String target, String authority, String token) {
    var builder = Grpc.newChannelBuilder(target, InsecureChannelCredentials.create());
    if (authority != null) {
      // Over a Unix socket grpc-java sends the socket's path as :authority unless told
      // otherwise, and payhook refuses that: it is no host name.
      builder.overrideAuthority(authority);
    }
    channel = builder.build();
    var metadata = new Metadata();
    if (token != null) {
      metadata.put(AUTHORIZATION, "Bearer " + token);
    }
    stub =
        PaymentWebhookServiceGrpc.newBlockingStub(channel)
            // Waits for a server that restarts, for as long as the deadline allows.
            .withWaitForReady()
            .withInterceptors(MetadataUtils.newAttachHeadersInterceptor(metadata));
  }

  public Payhook(String target) {
    this(target, "localhost", null);
  }

  /** The events of a webhook, or {@link Refused}. */
  public VerifyAndParseResponse verify(WebhookRequest webhook, Duration deadline) {
    var request = VerifyAndParseRequest.newBuilder().setWebhook(webhook).build();
    return call(stub -> stub.verifyAndParse(request), deadline);
  }

  public VerifyAndParseResponse verify(WebhookRequest webhook) {
    return verify(webhook, DEADLINE);
  }

  /** What an event does to a payment, or {@link Refused}. */
  public MapStatusResponse mapStatus(MapStatusRequest request) {
    return call(stub -> stub.mapStatus(request), DEADLINE);
  }

  private <T> T call(Function<PaymentWebhookServiceBlockingStub, T> method, Duration deadline) {
    try {
      return method.apply(stub.withDeadlineAfter(deadline.toMillis(), TimeUnit.MILLISECONDS));
    } catch (StatusRuntimeException error) {
      throw new Refused(error);
    }
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
