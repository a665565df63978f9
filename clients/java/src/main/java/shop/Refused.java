package shop;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import dev.payhook.v1.ErrorDiagnostics;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Duration;

/** Not verified, or nobody answered. */
public final class Refused extends RuntimeException {
  public final Status.Code code;
  public final ErrorInfo info;
  public final ErrorDiagnostics diagnostics;
  public final long retryMillis;

  public Refused(StatusRuntimeException error) {
    super(error);
    code = error.getStatus().getCode();
    var info = ErrorInfo.getDefaultInstance();
    var diagnostics = ErrorDiagnostics.getDefaultInstance();
    var retry = RetryInfo.getDefaultInstance();
    try {
      for (var detail : StatusProto.fromThrowable(error).getDetailsList()) {
        if (detail.is(ErrorInfo.class)) {
          info = detail.unpack(ErrorInfo.class);
        } else if (detail.is(ErrorDiagnostics.class)) {
          diagnostics = detail.unpack(ErrorDiagnostics.class);
        } else if (detail.is(RetryInfo.class)) {
          retry = detail.unpack(RetryInfo.class);
        }
      }
    } catch (InvalidProtocolBufferException unreadable) {
      addSuppressed(unreadable);
    }
    this.info = info;
    this.diagnostics = diagnostics;
    var delay = retry.getRetryDelay();
    retryMillis = Duration.ofSeconds(delay.getSeconds(), delay.getNanos()).toMillis();
  }

  /** Empty where it was not payhook that answered. */
  public String reason() {
    return info.getReason();
  }

  /**
   * The answer to the gateway. Without a reason nothing is known about the webhook: 503, so that
   * the gateway delivers it again.
   */
  public int httpStatus() {
    var status = diagnostics.getReply().getStatus();
    return status == 0 ? 503 : status;
  }
}
