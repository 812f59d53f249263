package accesslog_test

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/event"
	"github.com/rescind-edge/rescind/internal/field"
)

// ordinary is a hit as most are: no field that is asked for has several lines.
func ordinary() *event.Request {
	e := sample()
	e.RequestFields = field.Fields{
		{Name: "User-Agent", Value: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
		{Name: "Referer", Value: "https://www.example.com/"},
	}
	return e
}

var configs = []accesslog.Config{
	{Format: accesslog.JSON, ResponseFields: []string{"X-Cache"}},
	{Format: accesslog.Combined},
	{Format: `%a %D %T %H %m %U%q %{x-cache}o %{Rescind:outcome}x %{Rescind:origin_status}x %{rfc3339}t`},
}

type discard struct{}

func (discard) Put([]byte) {}

func TestLinesAreWrittenWithoutAllocating(t *testing.T) {
	e, buf := ordinary(), make([]byte, 0, 4096)
	for _, cfg := range configs {
		f := compile(t, cfg)
		if n := testing.AllocsPerRun(100, func() { buf = f.Append(buf[:0], e) }); n != 0 {
			t.Errorf("%s: %v allocations", cfg.Format, n)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	e, buf := ordinary(), make([]byte, 0, 4096)
	for _, cfg := range configs {
		f := compile(b, cfg)
		b.Run(cfg.Format[:4], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf = f.Append(buf[:0], e)
			}
		})
	}
}

func BenchmarkLog(b *testing.B) {
	log := accesslog.NewLog("n", []accesslog.Route{{Format: compile(b, configs[0]), To: discard{}}})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		var e *event.Request = ordinary()
		for pb.Next() {
			log.Request(e)
		}
	})
}
