package accesslog_test

import (
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// sample is a hit as a browser causes it, with every member set.
func sample() *event.Request {
	return &event.Request{
		Time: time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.FixedZone("", 3600)),
		ID:   "r1", Service: "shop", Node: "fra1-a",
		Remote: "10.1.2.3:5555", Client: netip.MustParseAddr("192.0.2.7"), TLS: "TLSv1.3",
		Edge: "ams1-a", EdgePOP: "ams1",
		Method: "GET", Scheme: "https", Host: "www.example.com", Target: "/product/42?size=l&x=1", Proto: "HTTP/2.0",
		Status: 200, Received: 3, Bytes: 5120, Duration: 2345678 * time.Microsecond, FirstByte: 1500 * time.Microsecond,
		Outcome: event.OutcomeHit, Reason: "fresh", Cut: true,
		Origin: "127.0.0.1:9000", OriginStatus: 304, Age: 61 * time.Second, Hits: 7, Collapsed: true,
		RequestFields: field.Fields{
			{Name: "user-agent", Value: `Mozilla/5.0 "x"`}, {Name: "Referer", Value: "https://a.example/"},
			{Name: "accept-language", Value: "de"}, {Name: "Accept-Language", Value: "en"},
			{Name: "Authorization", Value: "Basic YW5uYTpzZWNyZXQ="},
		},
		ResponseFields: http.Header{"X-Cache": {"HIT"}, "Vary": {"Accept", "Cookie"}},
	}
}

func refused() event.Request {
	return accesslog.FromRefused("fra1-a", event.Refused{
		Time:   time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC),
		Remote: "[2001:db8::1]:4242", Local: "127.0.0.1:80",
		Status: 400, Reason: event.RefusedLengthAndCoding, Method: "POST", Target: `/a\x00"b`,
	})
}

func compile(t testing.TB, cfg accesslog.Config) *accesslog.Format {
	t.Helper()
	f, err := accesslog.Compile(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func line(t testing.TB, format string, e *event.Request) string {
	t.Helper()
	return string(compile(t, accesslog.Config{Format: format}).Append(nil, e))
}
