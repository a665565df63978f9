package shop;

import static shop.Cases.ask;
import static shop.Cases.same;

import dev.payhook.v1.ErrorReason;
import dev.payhook.v1.EventType;
import dev.payhook.v1.MapStatusRequest;
import dev.payhook.v1.PaymentEvent;
import dev.payhook.v1.PaymentState;
import dev.payhook.v1.PaymentStatus;
import dev.payhook.v1.PaymentWebhookServiceGrpc;
import dev.payhook.v1.TransitionAdvice;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Payhook.java against the built server: see clients/languages.py. */
public final class LanguageTest {
  /** Netty warns of a TCP option on every Unix socket; a field, so that the level is kept. */
  private static final Logger NETTY = Logger.getLogger("io.netty.bootstrap");

  private static Cases.All cases;

  private LanguageTest() {}

  public static void main(String[] arguments) throws Exception {
    NETTY.setLevel(Level.SEVERE);
    cases = Cases.read();
    var socket = "unix://" + System.getenv("PAYHOOK_SOCKET");
    try (var tcp = new Payhook(System.getenv("PAYHOOK_TCP"));
        var local = new Payhook(socket)) {
      for (var client : List.of(tcp, local)) {
        table(client);
        late(client);
        mapStatus(client, genuine(client));
        streams(client);
        deadline(client);
        System.out.printf(
            "%s: %d rows of the table, MapStatus, stream, shed, deadlines, sizes%n",
            client == tcp ? "tcp" : "socket", cases.table().size());
      }
      authority(socket);
      try (var restart = new Restart(cases)) {
        restart.run(local);
        System.out.printf(
            "authority, health, drain, restart, kill; %d calls over 6 restarts, none lost%n",
            restart.storm(local));
      }
    }
    System.exit(0);
  }

  private static Refused refused(Supplier<?> call) {
    try {
      call.get();
    } catch (Refused refused) {
      return refused;
    }
    throw new AssertionError("not refused");
  }

  private static List<Object> words(Refused refused) {
    return List.of(refused.code, refused.reason(), refused.httpStatus());
  }

  private static void table(Payhook client) {
    for (var row : cases.table()) {
      if (row.expect() == null) {
        client.verify(row.webhook().proto());
      } else {
        var seen = Cases.Seen.of(refused(() -> client.verify(row.webhook().proto())));
        same(row.expect(), seen, row.name());
      }
    }
  }

  /** A call whose message never comes: the method, called as if it took a stream. */
  private static void late(Payhook client) throws InterruptedException {
    var unary = PaymentWebhookServiceGrpc.getVerifyAndParseMethod();
    var streaming = unary.toBuilder().setType(MethodType.CLIENT_STREAMING).build();
    var options = CallOptions.DEFAULT.withDeadlineAfter(10, TimeUnit.SECONDS);
    var call = client.channel.newCall(streaming, options);
    var closed = new LinkedBlockingQueue<StatusRuntimeException>();
    call.start(
        new ClientCall.Listener<>() {
          @Override
          public void onClose(Status status, Metadata trailers) {
            closed.add(status.asRuntimeException(trailers));
          }
        },
        new Metadata());
    call.request(1);
    var seen = Cases.Seen.of(new Refused(closed.take()));
    same(cases.late(), seen, "a message that does not come");
  }

  private static PaymentEvent genuine(Payhook client) {
    var events = client.verify(cases.genuine(0)).getEventsList();
    same(1, events.size(), "events");
    var event = events.get(0);
    same(EventType.EVENT_TYPE_CHECKOUT_COMPLETED, event.getType(), "type");
    var amount = event.getAmount();
    same(
        List.of("EUR", 1990L, "19.90"),
        List.of(amount.getCurrencyCode(), amount.getMinorUnits(), amount.getDecimal()),
        "amount");
    var oversize = refused(() -> client.verify(cases.oversize().proto()));
    same(List.of(Status.Code.OUT_OF_RANGE, "", 503), words(oversize), "oversize");
    return event;
  }

  private static void mapStatus(Payhook client, PaymentEvent event) {
    var state =
        PaymentState.newBuilder()
            .setStatus(PaymentStatus.PAYMENT_STATUS_WAITING)
            .setTotal(event.getAmount())
            .setMerchantReference("order-1");
    var raw = MapStatusRequest.newBuilder().setWebhook(cases.genuine(0)).setCurrent(state);
    var first = client.mapStatus(raw.build());
    same(
        List.of(
            TransitionAdvice.TRANSITION_ADVICE_APPLY,
            PaymentStatus.PAYMENT_STATUS_CONFIRMED,
            1990L,
            event.getId()),
        List.of(
            first.getAdvice(),
            first.getStatus(),
            first.getCaptured().getMinorUnits(),
            first.getEvent().getId()),
        "apply");
    state.setLastEventId(event.getId());
    var parsed = MapStatusRequest.newBuilder().setEvent(event).setCurrent(state);
    var repeat = client.mapStatus(parsed.build());
    same(
        List.of(TransitionAdvice.TRANSITION_ADVICE_NO_OP, "same-event"),
        List.of(repeat.getAdvice(), repeat.getRule()),
        "repeat");
    raw.setWebhook(cases.forged().proto());
    same("SIGNATURE_MISMATCH", refused(() -> client.mapStatus(raw.build())).reason(), "forged");
  }

  private static void streams(Payhook client) throws Exception {
    var open = new ArrayList<>(List.of(new Items(client)));
    var items =
        List.of(
            cases.genuine(0), cases.forged().proto(), cases.genuine(1), cases.genuine(2));
    for (int number = 0; number < items.size(); number++) {
      var answer = open.get(0).send(number, items.get(number));
      same((long) number, answer.getCorrelationId(), "correlation");
      if (number != 1) {
        var event = answer.getSuccess().getEvents(0);
        same("order-1", event.getMerchantReference(), "item");
        continue;
      }
      var failure = answer.getFailure();
      var diagnostics = failure.getDiagnostics();
      same(
          List.of(16, ErrorReason.ERROR_REASON_SIGNATURE_MISMATCH, 400, List.of("spring")),
          List.of(
              failure.getCode(),
              failure.getReason(),
              diagnostics.getReply().getStatus(),
              List.copyOf(diagnostics.getKeyLabelsTriedList())),
          "item");
    }
    // Streams get half of the calls: one more is shed, a unary call is not.
    while (open.size() < cases.streamsMax()) {
      var stream = new Items(client);
      stream.send(1, cases.genuine(0));
      open.add(stream);
    }
    var extra = new Items(client);
    extra.offer(1, cases.genuine(0));
    var broken = extra.broken();
    var shed = new Refused(broken);
    same(
        List.of("OVERLOADED", 503, 200L),
        List.of(shed.reason(), shed.httpStatus(), shed.retryMillis),
        "shed");
    var pushback =
        Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER);
    same("200", broken.getTrailers().get(pushback), "pushback");
    client.verify(cases.genuine(0));
    for (var stream : open) {
      stream.end();
    }
  }

  private static void deadline(Payhook client) throws Exception {
    ask("freeze");
    var late = refused(() -> client.verify(cases.genuine(0), Duration.ofMillis(300)));
    ask("thaw");
    same(List.of(Status.Code.DEADLINE_EXCEEDED, "", 503), words(late), "deadline");
    client.verify(cases.genuine(0));
  }

  /** With grpc-java's own authority over a Unix socket no call is answered. */
  private static void authority(String socket) {
    try (var bare = new Payhook(socket, null, null);
        var tcp = new Payhook(System.getenv("PAYHOOK_TCP"), null, null);
        var owner = new Payhook(socket, "localhost", cases.token())) {
      same(1, tcp.verify(cases.genuine(0)).getEventsCount(), "TCP");
      same(1, owner.verify(cases.owned().proto()).getEventsCount(), "owned");
      var refused = refused(() -> bare.verify(cases.genuine(0)));
      same(List.of(Status.Code.INTERNAL, "", 503), words(refused), "without an authority");
    }
  }
}
