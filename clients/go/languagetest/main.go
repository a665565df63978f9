// Command languagetest holds the client against the built server: see ../../languages.py.
package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"payhook.dev/payhook"
	pb "payhook.dev/payhook/v1"
)

// Seen is a refusal in the words of the cases.
type Seen struct {
	Code       uint32   `json:"code"`
	Reason     string   `json:"reason"`
	HTTPStatus uint32   `json:"http_status"`
	Redelivery bool     `json:"redelivery_may_succeed"`
	RetryMs    int64    `json:"retry_ms"`
	Verified   bool     `json:"verified"`
	BodySHA256 string   `json:"body_sha256"`
	KeyLabels  []string `json:"key_labels"`
}

// Webhook is a request as the cases write it.
type Webhook struct {
	Variant string
	Body    string
	Headers [][2]string
	Method  string
	URL     string
}

var cases struct {
	Table []struct {
		Name    string
		Webhook Webhook
		Expect  *Seen
	}
	Late       Seen
	Oversize   Webhook
	Genuine    []Webhook
	Forged     Webhook
	Owned      Webhook
	Token      string
	StreamsMax int `json:"streams_max"`
}

var answers = bufio.NewReader(os.Stdin)

func ask(step string) string {
	fmt.Println("@" + step)
	return strings.TrimSpace(must(answers.ReadString('\n')))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func same(expected, seen any, name string) {
	if !reflect.DeepEqual(expected, seen) {
		panic(fmt.Sprintf("%s: %+v instead of %+v", name, seen, expected))
	}
}

func within(seconds float64) context.Context {
	// Ends with its deadline: every call here is shorter than the program.
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(seconds*float64(time.Second)))
	_ = cancel
	return ctx
}

func (w Webhook) proto() *pb.WebhookRequest {
	request := &pb.WebhookRequest{Variant: w.Variant, Method: w.Method, Url: w.URL}
	request.Body = must(base64.StdEncoding.DecodeString(w.Body))
	for _, header := range w.Headers {
		request.Headers = append(request.Headers, &pb.HttpHeader{Name: header[0], Value: header[1]})
	}
	return request
}

func genuine(number int) *pb.WebhookRequest { return cases.Genuine[number].proto() }

func refused[T any](_ T, err error) *payhook.Refused {
	var refused *payhook.Refused
	if !errors.As(err, &refused) {
		panic(fmt.Sprintf("not refused: %v", err))
	}
	return refused
}

func seen(refused *payhook.Refused) Seen {
	diagnostics := refused.Diagnostics
	same("payhook.v1", refused.Info.GetDomain(), "domain")
	told := map[string]string{"httpStatus": strconv.Itoa(int(refused.HTTPStatus))}
	cause := strings.TrimPrefix(diagnostics.GetCause().String(), "MISMATCH_CAUSE_")
	for name, value := range map[string]string{
		"variant": diagnostics.GetVariant(), "gateway": diagnostics.GetGateway(), "cause": cause,
	} {
		if value != "" && value != "UNSPECIFIED" {
			told[name] = value
		}
	}
	same(told, refused.Info.GetMetadata(), "the metadata of ErrorInfo")
	return Seen{
		Code:       uint32(refused.Code),
		Reason:     refused.Reason,
		HTTPStatus: refused.HTTPStatus,
		Redelivery: diagnostics.GetRedeliveryMaySucceed(),
		RetryMs:    refused.RetryDelay.Milliseconds(),
		Verified:   diagnostics.GetVerified(),
		BodySHA256: hex.EncodeToString(diagnostics.GetBodySha256()),
		KeyLabels:  append([]string{}, diagnostics.GetKeyLabelsTried()...),
	}
}

func table(client *payhook.Client) int {
	for _, row := range cases.Table {
		answer, err := client.Verify(within(5), row.Webhook.proto())
		if row.Expect == nil {
			must(answer, err)
			continue
		}
		same(*row.Expect, seen(refused(answer, err)), row.Name)
	}
	return len(cases.Table)
}

// late makes a call whose message never comes: the method, called as if it took a stream.
func late(client *payhook.Client) {
	streaming := &grpc.StreamDesc{ClientStreams: true}
	method := pb.PaymentWebhookService_VerifyAndParse_FullMethodName
	call := must(client.Conn.NewStream(within(10), streaming, method))
	err := call.RecvMsg(&pb.VerifyAndParseResponse{})
	same(cases.Late, seen(payhook.NewRefused(err)), "a message that does not come")
}

func verified(client *payhook.Client) *pb.PaymentEvent {
	answer := must(client.Verify(within(5), genuine(0)))
	same(1, len(answer.GetEvents()), "events")
	event := answer.GetEvents()[0]
	same(pb.EventType_EVENT_TYPE_CHECKOUT_COMPLETED, event.GetType(), "type")
	amount := event.GetAmount()
	same([]any{"EUR", int64(1990), "19.90"},
		[]any{amount.GetCurrencyCode(), amount.GetMinorUnits(), amount.GetDecimal()}, "amount")
	oversize := refused(client.Verify(within(5), cases.Oversize.proto()))
	same([]any{codes.OutOfRange, "", uint32(503)},
		[]any{oversize.Code, oversize.Reason, oversize.HTTPStatus}, "oversize")
	return event
}

func mapStatus(client *payhook.Client, event *pb.PaymentEvent) {
	state := &pb.PaymentState{
		Status: pb.PaymentStatus_PAYMENT_STATUS_WAITING, Total: event.GetAmount(), MerchantReference: "order-1",
	}
	raw := &pb.MapStatusRequest_Webhook{Webhook: genuine(0)}
	first := must(client.MapStatus(within(5), &pb.MapStatusRequest{Source: raw, Current: state}))
	same([]any{pb.TransitionAdvice_TRANSITION_ADVICE_APPLY, pb.PaymentStatus_PAYMENT_STATUS_CONFIRMED, int64(1990)},
		[]any{first.GetAdvice(), first.GetStatus(), first.GetCaptured().GetMinorUnits()}, "apply")
	state.LastEventId = event.GetId()
	parsed := &pb.MapStatusRequest_Event{Event: event}
	repeat := must(client.MapStatus(within(5), &pb.MapStatusRequest{Source: parsed, Current: state}))
	same([]any{pb.TransitionAdvice_TRANSITION_ADVICE_NO_OP, "same-event"},
		[]any{repeat.GetAdvice(), repeat.GetRule()}, "repeat")
	raw.Webhook = cases.Forged.proto()
	forged := refused(client.MapStatus(within(5), &pb.MapStatusRequest{Source: raw, Current: state}))
	same("SIGNATURE_MISMATCH", forged.Reason, "forged")
}

type stream = pb.PaymentWebhookService_VerifyAndParseStreamClient

func open(client *payhook.Client) stream {
	return must(client.Stub.VerifyAndParseStream(within(60)))
}

func send(stream stream, number uint64, webhook *pb.WebhookRequest) (*pb.VerifyAndParseStreamResponse, error) {
	item := &pb.VerifyAndParseStreamRequest{CorrelationId: number, Webhook: webhook}
	if err := stream.Send(item); err != nil {
		return nil, err
	}
	return stream.Recv()
}

func end(stream stream) {
	must(0, stream.CloseSend())
	_, err := stream.Recv()
	same("EOF", err.Error(), "the end of a stream")
}

func streams(client *payhook.Client) {
	open_ := []stream{open(client)}
	items := []*pb.WebhookRequest{genuine(0), cases.Forged.proto(), genuine(1), genuine(2)}
	for number, item := range items {
		answer := must(send(open_[0], uint64(number), item))
		same(uint64(number), answer.GetCorrelationId(), "correlation")
		if number != 1 {
			same("order-1", answer.GetSuccess().GetEvents()[0].GetMerchantReference(), "item")
			continue
		}
		failure := answer.GetFailure()
		same([]any{int32(16), pb.ErrorReason_ERROR_REASON_SIGNATURE_MISMATCH, uint32(400), []string{"spring"}},
			[]any{failure.GetCode(), failure.GetReason(), failure.GetDiagnostics().GetReply().GetStatus(),
				failure.GetDiagnostics().GetKeyLabelsTried()}, "item")
	}
	// Streams get half of the calls: one more is shed, a unary call is not.
	for len(open_) < cases.StreamsMax {
		open_ = append(open_, open(client))
		must(send(open_[len(open_)-1], 1, genuine(0)))
	}
	extra := open(client)
	_, err := send(extra, 1, genuine(0))
	shed := payhook.NewRefused(err)
	same([]any{"OVERLOADED", uint32(503), 200 * time.Millisecond},
		[]any{shed.Reason, shed.HTTPStatus, shed.RetryDelay}, "shed")
	same([]string{"200"}, extra.Trailer().Get("grpc-retry-pushback-ms"), "pushback")
	must(client.Verify(within(5), genuine(0)))
	for _, one := range open_ {
		end(one)
	}
}

func deadline(client *payhook.Client) {
	ask("freeze")
	late := refused(client.Verify(within(0.3), genuine(0)))
	ask("thaw")
	same([]any{codes.DeadlineExceeded, "", uint32(503)},
		[]any{late.Code, late.Reason, late.HTTPStatus}, "deadline")
	must(client.Verify(within(5), genuine(0)))
}

func main() {
	text := must(os.ReadFile(os.Getenv("PAYHOOK_CASES")))
	must(0, json.Unmarshal(text, &cases))
	socket := "unix:" + os.Getenv("PAYHOOK_SOCKET")
	clients := map[string]*payhook.Client{
		"tcp": must(payhook.New(os.Getenv("PAYHOOK_TCP"))), "socket": must(payhook.New(socket)),
	}
	for _, name := range []string{"tcp", "socket"} {
		client := clients[name]
		rows := table(client)
		late(client)
		mapStatus(client, verified(client))
		streams(client)
		deadline(client)
		fmt.Printf("%s: %d rows of the table, MapStatus, stream, shed, deadlines, sizes\n", name, rows)
	}
	// grpc-go needs no option over a Unix socket: its own authority there is `localhost`, which is
	// what every call above sent. Said aloud it is the same.
	said := must(payhook.New(socket, grpc.WithAuthority("localhost")))
	said.Token = cases.Token
	same(1, len(must(said.Verify(within(5), cases.Owned.proto())).GetEvents()), "owned")
	restart(clients["socket"], health(os.Getenv("PAYHOOK_ADMIN")))
	fmt.Printf("authority, health, drain, restart, kill; %d calls over 6 restarts, none lost\n", storm(socket))
}
