package app

import (
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// oneKey is the surrogate keys of a page.
type oneKey struct{}

func (oneKey) NumKeys() int              { return 1 }
func (oneKey) SurrogateKey(i int) string { return "product-42" }

// browserHit returns a hit as most are, with what the proxy reports of it.
func browserHit(now time.Time) *event.Request {
	return &event.Request{
		Time: now, Service: "shop", Node: "fra1-a",
		Remote: "192.0.2.77:50123", Client: netip.MustParseAddr("192.0.2.77"),
		Method: "GET", Scheme: "http", Host: "www.example.com", Target: "/products/42/view?colour=red", Proto: "HTTP/1.1",
		Status: 200, Bytes: 5120, Duration: 31 * time.Microsecond, FirstByte: 24 * time.Microsecond,
		Outcome: event.OutcomeHit, Reason: "fresh", Origin: "10.0.0.9:8080", OriginStatus: 200, Age: 61 * time.Second, Hits: 71234,
		Key: field.Key{1, 2, 3}, Keys: oneKey{},
		RequestFields: field.Fields{
			{Name: "User-Agent", Value: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
			{Name: "Accept", Value: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
			{Name: "Accept-Language", Value: "en-US,en;q=0.5"},
			{Name: "Accept-Encoding", Value: "gzip, deflate, br, zstd"},
			{Name: "Referer", Value: "https://www.example.com/products"},
			{Name: "Cookie", Value: "consent=1; session=0123456789abcdef"},
			{Name: "Sec-Fetch-Dest", Value: "document"},
			{Name: "Sec-Fetch-Mode", Value: "navigate"},
		},
		ResponseFields: http.Header{"X-Cache": {"HIT"}, "Content-Type": {"text/html"}, "Cache-Control": {"max-age=600"}},
	}
}

// observing returns a node of which only what observes requests is there, with
// an access log in JSON to a file.
func observing(b testing.TB, file string) *App {
	cfg := &config.Config{
		Node:     config.Node{Name: "fra1-a", POP: "fra1"},
		Services: []config.Service{{ID: "shop"}, {ID: "blog"}, {ID: "docs"}},
	}
	if file != "" {
		cfg.AccessLog = []config.AccessLog{{To: "file:" + file}}
	}
	a := &App{began: cfg, log: slog.New(slog.DiscardHandler)}
	if err := a.buildViews(cfg); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := a.access.Load().close(); err != nil {
			b.Error(err)
		}
	})
	return a
}

func TestObservingAHitDoesNotAllocate(t *testing.T) {
	a, e := observing(t, "/dev/null"), browserHit(time.Now())
	for range 1 << 14 { // until hardly any is sampled
		a.observe(e)
	}
	if n := testing.AllocsPerRun(1000, func() { a.observe(e) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkObserve is what a hit pays for being observed. The clock goes as it
// does at several hundred thousand hits a second.
func BenchmarkObserve(b *testing.B) {
	for _, c := range []struct{ name, file string }{
		{"no log", ""}, {"log to null", "/dev/null"}, {"log to file", filepath.Join(b.TempDir(), "access.log")},
	} {
		b.Run(c.name, func(b *testing.B) {
			a := observing(b, c.file)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				e := browserHit(time.Now())
				for n := 0; pb.Next(); n++ {
					if n%64 == 0 {
						runtime.Gosched() // as those who wait for the network do
					}
					e.Time = e.Time.Add(2 * time.Microsecond)
					a.observe(e)
				}
			})
			var dropped uint64
			for _, s := range a.access.Load().sinks {
				dropped += s.Dropped()
			}
			b.ReportMetric(float64(dropped)/float64(b.N), "dropped/op")
		})
	}
}
