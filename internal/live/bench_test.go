package live

import (
	"strconv"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/event"
)

func BenchmarkPublishToNobody(b *testing.B) {
	h, r := new(Hub), sample()
	b.ReportAllocs()
	for b.Loop() {
		h.Publish(r, writeTarget)
	}
}

func BenchmarkPublishToOneThatFilters(b *testing.B) {
	h, r := new(Hub), sample()
	listen(b, h, "host=www.example.com status=200 path~/news/*")
	b.ReportAllocs()
	for b.Loop() {
		h.Publish(r, writeTarget)
	}
}

// BenchmarkTakeOfABusyNode is what a hit pays for the hottest names: time does
// not pass here, so that the sampler has come to take one in very many.
func BenchmarkTakeOfABusyNode(b *testing.B) {
	s, top, now := new(Sampler), new(Top), noon
	b.ReportAllocs()
	for b.Loop() {
		if w := s.Take(now); w > 0 {
			top.Add(now, w, "shop", "/news/today")
		}
	}
}

// BenchmarkTakeAtAMillionASecond has the clock go as fast as that many requests.
func BenchmarkTakeAtAMillionASecond(b *testing.B) {
	s, top, now := new(Sampler), new(Top), noon
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Microsecond)
		if w := s.Take(now); w > 0 {
			top.Add(now, w, "shop", "/news/today")
		}
	}
}

func BenchmarkTopAddOfMany(b *testing.B) {
	top := new(Top)
	names := make([]string, 4096)
	for i := range names {
		names[i] = "/a/" + strconv.Itoa(i)
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		top.Add(noon, 1, "shop", names[i%len(names)])
		i++
	}
}

func BenchmarkNoteMiss(b *testing.B) {
	m, key := NewMisses(0), randomKey()
	miss := Miss{Time: noon, Outcome: event.OutcomeMiss, Reason: "uri-miss"}
	b.ReportAllocs()
	for b.Loop() {
		m.Note(key, miss)
	}
}
