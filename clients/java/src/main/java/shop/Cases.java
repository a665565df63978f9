package shop;

import com.google.gson.FieldNamingPolicy;
import com.google.gson.GsonBuilder;
import com.google.protobuf.ByteString;
import dev.payhook.v1.HttpHeader;
import dev.payhook.v1.WebhookRequest;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/** What the check sends, what it must see, and what it asks of the server's owner. */
final class Cases {
  record Webhook(
      String variant, String body, List<List<String>> headers, String method, String url) {
    WebhookRequest proto() {
      var bytes = ByteString.copyFrom(Base64.getDecoder().decode(body));
      var request = WebhookRequest.newBuilder();
      request.setVariant(variant).setBody(bytes).setMethod(method).setUrl(url);
      for (var header : headers) {
        request.addHeaders(
            HttpHeader.newBuilder().setName(header.get(0)).setValue(header.get(1)));
      }
      return request.build();
    }
  }

  /** A refusal in the words of the cases. */
  record Seen(
      int code,
      String reason,
      int httpStatus,
      boolean redeliveryMaySucceed,
      long retryMs,
      boolean verified,
      String bodySha256,
      List<String> keyLabels) {
    static Seen of(Refused refused) {
      var told = refused.diagnostics;
      same("payhook.v1", refused.info.getDomain(), "domain");
      var metadata = new TreeMap<String, String>();
      metadata.put("variant", told.getVariant());
      metadata.put("gateway", told.getGateway());
      metadata.put("httpStatus", String.valueOf(refused.httpStatus()));
      metadata.put("cause", told.getCause().name().replace("MISMATCH_CAUSE_", ""));
      metadata.values().removeIf(value -> value.isEmpty() || value.equals("UNSPECIFIED"));
      same(metadata, new TreeMap<>(refused.info.getMetadataMap()), "metadata of ErrorInfo");
      return new Seen(
          refused.code.value(),
          refused.reason(),
          refused.httpStatus(),
          told.getRedeliveryMaySucceed(),
          refused.retryMillis,
          told.getVerified(),
          HexFormat.of().formatHex(told.getBodySha256().toByteArray()),
          List.copyOf(told.getKeyLabelsTriedList()));
    }
  }

  record Row(String name, Webhook webhook, Seen expect) {}

  record All(
      List<Row> table,
      Seen late,
      Webhook oversize,
      List<Webhook> genuine,
      Webhook forged,
      Webhook owned,
      String token,
      int streamsMax) {
    WebhookRequest genuine(int number) {
      return genuine.get(number).proto();
    }
  }

  private static final BufferedReader ANSWERS =
      new BufferedReader(new InputStreamReader(System.in));

  private Cases() {}

  static All read() throws IOException {
    var naming = FieldNamingPolicy.LOWER_CASE_WITH_UNDERSCORES;
    var text = Files.readString(Path.of(System.getenv("PAYHOOK_CASES")));
    return new GsonBuilder().setFieldNamingPolicy(naming).create().fromJson(text, All.class);
  }

  static String ask(String step) throws IOException {
    System.out.println("@" + step);
    System.out.flush();
    return ANSWERS.readLine();
  }

  static void same(Object expected, Object seen, String name) {
    if (!Objects.equals(expected, seen)) {
      throw new AssertionError(name + ": " + seen + " instead of " + expected);
    }
  }
}
