package shop;

import static shop.Cases.ask;
import static shop.Cases.same;

import dev.payhook.v1.PaymentWebhookServiceGrpc;
import dev.payhook.v1.VerifyAndParseRequest;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** Health, and a server that is drained, started again, and killed. */
final class Restart implements AutoCloseable {
  private final Cases.All cases;
  private final ManagedChannel admin;

  Restart(Cases.All cases) {
    this.cases = cases;
    var address = System.getenv("PAYHOOK_ADMIN");
    admin = Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()).build();
  }

  private static HealthCheckRequest about(String service) {
    return HealthCheckRequest.newBuilder().setService(service).build();
  }

  private Iterator<HealthCheckResponse> health() {
    var health = HealthGrpc.newBlockingStub(admin);
    for (var service : List.of("", "payhook.v1.PaymentWebhookService", "readiness")) {
      // Readiness is told a moment after the start.
      var watch = health.withDeadlineAfter(10, TimeUnit.SECONDS).watch(about(service));
      while (watch.next().getStatus() != ServingStatus.SERVING) {}
      var checked = health.withDeadlineAfter(5, TimeUnit.SECONDS).check(about(service));
      same(ServingStatus.SERVING, checked.getStatus(), service);
    }
    try {
      health.check(about("nobody"));
      throw new AssertionError("an unknown service is not found");
    } catch (StatusRuntimeException error) {
      same(Status.Code.NOT_FOUND, error.getStatus().getCode(), "unknown service");
    }
    return health.withDeadlineAfter(60, TimeUnit.SECONDS).watch(about(""));
  }

  /** One call that does not wait for a server; its code. */
  private Status.Code plain(Payhook client) {
    var stub = PaymentWebhookServiceGrpc.newBlockingStub(client.channel);
    var request = VerifyAndParseRequest.newBuilder().setWebhook(cases.genuine(0)).build();
    try {
      stub.withDeadlineAfter(5, TimeUnit.SECONDS).verifyAndParse(request);
      return Status.Code.OK;
    } catch (StatusRuntimeException error) {
      return error.getStatus().getCode();
    }
  }

  /** What is under way finishes, what is new is told to come back. */
  void run(Payhook client) throws Exception {
    var watch = health();
    var underWay = new Items(client);
    var stuck = new Items(client);
    underWay.send(1, cases.genuine(0));
    stuck.send(1, cases.genuine(0));
    same(ServingStatus.SERVING, watch.next().getStatus(), "watch");
    ask("drain");
    same(ServingStatus.NOT_SERVING, watch.next().getStatus(), "watch while draining");
    var until = System.nanoTime() + Duration.ofSeconds(5).toNanos();
    var code = plain(client);
    while (code == Status.Code.OK && System.nanoTime() < until) {
      code = plain(client);
    }
    same(Status.Code.UNAVAILABLE, code, "while draining");
    var event = underWay.send(2, cases.genuine(1)).getSuccess().getEvents(0);
    same("order-1", event.getMerchantReference(), "an item of a stream under way");
    underWay.end();
    var cut = stuck.broken().getStatus();
    same("exit 0", ask("wait"), "exit");
    same(Status.Code.UNAVAILABLE, plain(client), "while it is down");
    ask("start");
    // The same channel, made before.
    client.verify(cases.genuine(0), Duration.ofSeconds(20));
    stuck = new Items(client);
    stuck.send(1, cases.genuine(0));
    ask("kill");
    var killed = stuck.broken().getStatus();
    ask("start");
    same(
        List.of(Status.Code.UNAVAILABLE, Status.Code.UNAVAILABLE),
        List.of(cut.getCode(), killed.getCode()),
        "cut at the drain's end: " + cut + ", killed: " + killed);
  }

  /** Callers that repeat what a lost connection ended lose nothing, however the server goes. */
  long storm(Payhook client) throws Exception {
    var over = new AtomicBoolean();
    var answered = new AtomicLong();
    var lost = ConcurrentHashMap.<Status.Code>newKeySet();
    Callable<Void> caller =
        () -> {
          for (; !over.get(); answered.incrementAndGet()) {
            var until = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            for (var code = plain(client); code != Status.Code.OK; code = plain(client)) {
              lost.add(code);
              same(true, System.nanoTime() < until, "available within 20 s");
              Thread.sleep(10);
            }
          }
          return null;
        };
    var pool = Executors.newFixedThreadPool(6);
    var callers = Stream.generate(() -> pool.submit(caller)).limit(6).toList();
    for (var step : List.of("kill", "drain", "kill", "drain", "kill", "drain")) {
      Thread.sleep(200);
      ask(step);
      if (step.equals("drain")) {
        same("exit 0", ask("wait"), "exit under load");
      }
      ask("start");
      client.verify(cases.genuine(0), Duration.ofSeconds(20));
    }
    over.set(true);
    for (var one : callers) {
      one.get();
    }
    pool.shutdown();
    // grpc-java says UNKNOWN ("channel closed") where a call begins on a channel that ends under it.
    same(true, lost.remove(Status.Code.UNAVAILABLE), "some calls met a server that was gone");
    lost.remove(Status.Code.UNKNOWN);
    same(Set.of(), lost, "other codes of lost calls");
    return answered.get();
  }

  @Override
  public void close() {
    admin.shutdownNow();
  }
}
