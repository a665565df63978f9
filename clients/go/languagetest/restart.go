package main

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"payhook.dev/payhook"
	pb "payhook.dev/payhook/v1"
)

const (
	serving    = healthpb.HealthCheckResponse_SERVING
	notServing = healthpb.HealthCheckResponse_NOT_SERVING
)

type watch = healthpb.Health_WatchClient

func health(admin string) watch {
	plaintext := grpc.WithTransportCredentials(insecure.NewCredentials())
	client := healthpb.NewHealthClient(must(grpc.NewClient(admin, plaintext)))
	for _, service := range []string{"", "payhook.v1.PaymentWebhookService", "readiness"} {
		request := &healthpb.HealthCheckRequest{Service: service}
		// Readiness is told a moment after the start.
		told := must(client.Watch(within(10), request))
		for must(told.Recv()).GetStatus() != serving {
		}
		same(serving, must(client.Check(within(5), request)).GetStatus(), service)
	}
	_, err := client.Check(within(5), &healthpb.HealthCheckRequest{Service: "nobody"})
	same(codes.NotFound, status.Code(err), "unknown service")
	return must(client.Watch(within(60), &healthpb.HealthCheckRequest{}))
}

// plain makes one call that does not wait for a server; its code.
func plain(client *payhook.Client) codes.Code {
	request := &pb.VerifyAndParseRequest{Webhook: genuine(0)}
	_, err := client.Stub.VerifyAndParse(within(5), request)
	return status.Code(err)
}

func broken(stream stream) codes.Code {
	_, err := stream.Recv()
	return status.Code(err)
}

// restart drains: what is under way finishes, what is new is told to come back.
func restart(client *payhook.Client, watch watch) {
	underWay, stuck := open(client), open(client)
	must(send(underWay, 1, genuine(0)))
	must(send(stuck, 1, genuine(0)))
	same(serving, must(watch.Recv()).GetStatus(), "watch")
	ask("drain")
	same(notServing, must(watch.Recv()).GetStatus(), "watch while draining")
	until := time.Now().Add(5 * time.Second)
	code := plain(client)
	for code == codes.OK && time.Now().Before(until) {
		code = plain(client)
	}
	same(codes.Unavailable, code, "while draining")
	answer := must(send(underWay, 2, genuine(1)))
	same("order-1", answer.GetSuccess().GetEvents()[0].GetMerchantReference(), "an item under way")
	end(underWay)
	cut := broken(stuck)
	same("exit 0", ask("wait"), "exit")
	same(codes.Unavailable, plain(client), "while it is down")
	ask("start")
	// The same connection, made before.
	must(client.Verify(within(20), genuine(0)))
	stuck = open(client)
	must(send(stuck, 1, genuine(0)))
	ask("kill")
	killed := broken(stuck)
	ask("start")
	same([]codes.Code{codes.Unavailable, codes.Unavailable}, []codes.Code{cut, killed},
		"cut at the drain's end, killed")
}

// storm has callers that repeat what UNAVAILABLE ended: they lose nothing, however the server goes.
func storm(socket string) int64 {
	client := must(payhook.New(socket))
	var over atomic.Bool
	var answered atomic.Int64
	var lost sync.Map
	var callers sync.WaitGroup
	for range 6 {
		callers.Go(func() {
			for ; !over.Load(); answered.Add(1) {
				until := time.Now().Add(20 * time.Second)
				for code := plain(client); code != codes.OK; code = plain(client) {
					lost.Store(code, true)
					same(true, time.Now().Before(until), "available within 20 s")
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	for range 3 {
		time.Sleep(200 * time.Millisecond)
		ask("kill")
		ask("start")
		must(client.Verify(within(20), genuine(0)))
		time.Sleep(200 * time.Millisecond)
		ask("drain")
		same("exit 0", ask("wait"), "exit under load")
		ask("start")
		must(client.Verify(within(20), genuine(0)))
	}
	over.Store(true)
	callers.Wait()
	lost.Range(func(code, _ any) bool {
		same(codes.Unavailable, code, "code of a lost call")
		return true
	})
	return answered.Load()
}
