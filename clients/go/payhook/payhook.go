// Package payhook is a client of payhook: one connection, a deadline, and failures that stay
// failures.
package payhook

import (
	"context"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "payhook.dev/payhook/v1"
)

// Refused says that a webhook was not verified, or that nobody answered. HTTPStatus is the answer
// to the gateway.
type Refused struct {
	Code        codes.Code
	Reason      string
	HTTPStatus  uint32
	RetryDelay  time.Duration
	Info        *errdetails.ErrorInfo
	Diagnostics *pb.ErrorDiagnostics
	cause       error
}

func (r *Refused) Error() string { return r.cause.Error() }

// Unwrap returns gRPC's own error.
func (r *Refused) Unwrap() error { return r.cause }

// NewRefused reads what a failed call carries.
func NewRefused(err error) *Refused {
	failed := status.Convert(err)
	// Without a reason it was not payhook that answered, and nothing is known about the webhook:
	// 503, so that the gateway delivers it again.
	refused := &Refused{Code: failed.Code(), HTTPStatus: 503, cause: err}
	for _, detail := range failed.Details() {
		switch detail := detail.(type) {
		case *errdetails.ErrorInfo:
			refused.Info, refused.Reason = detail, detail.GetReason()
		case *errdetails.RetryInfo:
			refused.RetryDelay = detail.GetRetryDelay().AsDuration()
		case *pb.ErrorDiagnostics:
			refused.Diagnostics = detail
			if reply := detail.GetReply().GetStatus(); reply != 0 {
				refused.HTTPStatus = reply
			}
		}
	}
	return refused
}

// Client asks payhook. Make one for a process.
type Client struct {
	Conn  *grpc.ClientConn
	Stub  pb.PaymentWebhookServiceClient
	Token string
}

// New connects at the first call. grpc-go sends `localhost` over a Unix socket by itself; an
// authority given here keeps that from changing.
func New(target string, options ...grpc.DialOption) (*Client, error) {
	options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))
	conn, err := grpc.NewClient(target, options...)
	if err != nil {
		return nil, err
	}
	return &Client{Conn: conn, Stub: pb.NewPaymentWebhookServiceClient(conn)}, nil
}

// Verify returns the events of a webhook, or a *Refused. The context carries the deadline.
func (c *Client) Verify(ctx context.Context, webhook *pb.WebhookRequest) (*pb.VerifyAndParseResponse, error) {
	request := &pb.VerifyAndParseRequest{Webhook: webhook}
	answer, err := c.Stub.VerifyAndParse(c.authorized(ctx), request, grpc.WaitForReady(true))
	if err != nil {
		return nil, NewRefused(err)
	}
	return answer, nil
}

// MapStatus says what an event does to a payment, or fails with a *Refused.
func (c *Client) MapStatus(ctx context.Context, request *pb.MapStatusRequest) (*pb.MapStatusResponse, error) {
	// Waits for a server that restarts, for as long as the deadline allows.
	answer, err := c.Stub.MapStatus(c.authorized(ctx), request, grpc.WaitForReady(true))
	if err != nil {
		return nil, NewRefused(err)
	}
	return answer, nil
}

func (c *Client) authorized(ctx context.Context) context.Context {
	if c.Token == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+c.Token)
}
