package purge

import (
	"fmt"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

// standing returns an engine whose service holds so many marks.
func standing(b *testing.B, marks int) *rig {
	r := newRig(b, Config{MarkBytes: 1 << 40})
	for i := 0; i < marks; i += 250 {
		r.Apply(r.now, Purge{ID: NewID(1), Service: "shop", Tags: spreadTags(i, 250)})
	}
	return r
}

// BenchmarkApply shows what a purge costs, which must not depend on how many
// marks stand. The tags of 64 purges come round, so their marks are as long as
// they get, which is the worst case.
func BenchmarkApply(b *testing.B) {
	for _, keys := range []int{1, 256} {
		for _, marks := range []int{0, 1_000, 1_000_000} {
			b.Run(fmt.Sprintf("keys=%d/standing=%d", keys, marks), func(b *testing.B) {
				r := standing(b, marks)
				batches := make([]Tags, 64)
				for i := range batches {
					batches[i] = spreadTags(2_000_000+i*keys, keys)
				}
				id := NewID(1)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					id[0], id[1], id[2], id[3] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24)
					r.Apply(r.now, Purge{ID: id, Service: "shop", Tags: batches[i%64]})
				}
			})
		}
	}
}

// BenchmarkJudge shows what a look-up pays for purges: nothing where there was
// none since, and otherwise a probe for each tag.
func BenchmarkJudge(b *testing.B) {
	own := at(2000, 100, 100, 100)
	for _, c := range []struct {
		name   string
		marks  int
		tags   int
		behind field.Position // purges of the service that the object has not seen
	}{
		{"13 tags, no purge since", 1_000_000, 13, 0},
		{"13 tags, purges elsewhere", 1_000, 13, 1},
		{"13 tags, a million elsewhere", 1_000_000, 13, 1},
		{"1000 tags, purges elsewhere", 1_000, 1000, 1},
		{"1000 tags, a million elsewhere", 1_000_000, 1000, 1},
		{"8192 tags, the most that 16 KiB of keys can name", 1_000_000, 8192, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := standing(b, c.marks)
			var object Subject = spreadTags(5_000_000, c.tags)
			stamp := r.s.Position() - c.behind
			b.ReportAllocs()
			for b.Loop() {
				if r.s.Judge(object, stamp, own).State != Live {
					b.Fatal("purged")
				}
			}
		})
	}
}

// BenchmarkSettle shows what a sweep pays for each object.
func BenchmarkSettle(b *testing.B) {
	r := standing(b, 1_000)
	var object Subject = spreadTags(5_000_000, 13)
	for b.Loop() {
		r.s.Settle(object, 0, field.Times{}, 1)
	}
}

func TestJudgingAllocatesNothing(t *testing.T) {
	r := newRig(t, Config{MarkBytes: 5_000})
	for i := range 100 {
		r.apply(Effect{Mode: Mode(i % 2), TTL: 1}, spread(i), 7)
	}
	// Regular expressions do not either, but for the race detector's pools.
	r.ban(SoftEffect(), "req.url == /a?b && req.http.host == h && obj.http.x-product != hats")
	named, err := Header("X-Product", "shoes/*", ",")
	r.Apply(r.now, Purge{ID: NewID(1), Service: "shop", Predicates: []*Predicate{compiled(t, named, err)}})
	own := at(2000, 100, 100, 100)
	for what, object := range map[string]Subject{
		"a page": page("https://h/a?b", 200, "Content-Type: text/html", "X-Product: shoes/red"),
		"live":   spreadTags(1000, 13), "purged": spreadTags(90, 13), "often purged": Tags{7}, "with many tags": spreadTags(1000, 1000),
	} {
		if n := testing.AllocsPerRun(100, func() {
			r.s.Judge(object, 0, own)
			r.s.Concerned(object, 0, 100)
			r.s.Settle(object, 0, own, r.now)
		}); n != 0 {
			t.Errorf("%s: %v allocations", what, n)
		}
	}
}

// pageOf15Fields is what a busy origin's response looks like.
func pageOf15Fields() *Response {
	return page("https://www.example.com/shop/shoes/red?size=42", 200, "Date: Thu, 01 Jan 2026 00:00:00 GMT", "Server: nginx",
		"Content-Type: text/html; charset=utf-8", "Content-Length: 12345", "Cache-Control: public, max-age=3600", "Vary: Accept-Encoding",
		`ETag: "65a1b2c3-3039"`, "Last-Modified: Wed, 31 Dec 2025 00:00:00 GMT", "X-Frame-Options: DENY", "X-Content-Type-Options: nosniff",
		"Strict-Transport-Security: max-age=31536000", "Surrogate-Key: product-42 category-7 shop", "X-Product: shoes/red",
		"X-Request-Id: 0b1c2d3e4f", "Accept-Ranges: bytes")
}

// elsewhere puts predicates in force that a page is none of.
func (r *rig) elsewhere(b testing.TB, n int, kind string) {
	for i := range n {
		var s Selector
		var err error
		switch kind {
		case "headers":
			s, err = Header("X-Product", fmt.Sprintf("hats/%d-*", i), "")
		case "name globs":
			s, err = Header("X-Prod*", fmt.Sprintf("hats/%d-*", i), "")
		case "bans":
			s, err = ParseBan(fmt.Sprintf("req.url ~ ^/shop/.*/%d$ && obj.http.content-type ~ ^text/", i))
		}
		r.Apply(r.now, Purge{ID: NewID(1), Service: "shop", Predicates: []*Predicate{compiled(b, s, err)}})
	}
}

// BenchmarkPredicates shows what a look-up and a walk pay for an object that
// was not tested yet, and what they pay once it was.
func BenchmarkPredicates(b *testing.B) {
	own := at(2000, 100, 100, 100)
	for _, kind := range []string{"headers", "name globs", "bans"} {
		for _, n := range []int{0, 10, 1000} {
			r := newRig(b, Config{})
			r.elsewhere(b, n, kind)
			if got := r.Stats().Predicates; got != n {
				b.Fatalf("%d in force", got)
			}
			r.Apply(r.now, Purge{ID: NewID(1), Service: "shop", Tags: spreadTags(1, 1)})
			object, now := Subject(pageOf15Fields()), r.s.Position()
			run := func(what string, do func()) {
				b.Run(fmt.Sprintf("%s/live=%d/%s", kind, n, what), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						do()
					}
				})
			}
			run("judge untested", func() { r.s.Judge(object, 0, own) })
			run("judge tested", func() { r.s.Judge(object, now-1, own) })
			run("judge, nothing since", func() { r.s.Judge(object, now, own) })
			run("settle untested", func() { r.s.Settle(object, 0, own, r.now) })
		}
	}
}

// BenchmarkApplyPredicate shows what applying one costs beside those in force:
// when the list is full, each folds the oldest.
func BenchmarkApplyPredicate(b *testing.B) {
	for _, n := range []int{0, 10, DefaultPredicates} {
		b.Run(fmt.Sprintf("live=%d", n), func(b *testing.B) {
			r := newRig(b, Config{MarkBytes: 1 << 40})
			r.elsewhere(b, n, "headers")
			s, err := Header("X-Product", "hats/*", "")
			list := []*Predicate{compiled(b, s, err)}
			id := NewID(1)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				id[0], id[1], id[2], id[3] = byte(i), byte(i>>8), byte(i>>16), byte(i>>24)
				r.Apply(r.now, Purge{ID: id, Service: "shop", Predicates: list})
				if n < DefaultPredicates {
					r.Revert(r.now, id)
				}
			}
		})
	}
}

// BenchmarkCompile shows what making a predicate of a selector costs.
func BenchmarkCompile(b *testing.B) {
	header, err1 := Header("X-Product", "shoes/*", "")
	ban, err2 := ParseBan("req.url ~ ^/shop/.*/42$ && obj.http.content-type ~ ^text/")
	if err1 != nil || err2 != nil {
		b.Fatal(err1, err2)
	}
	for _, s := range []Selector{header, ban} {
		b.Run(s.Kind.String(), func(b *testing.B) {
			for b.Loop() {
				s.Predicate(modelHasher, "shop", field.QueryRule{})
			}
		})
	}
}
