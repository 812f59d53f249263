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
	own := at(2000, 100, 100, 100)
	for what, object := range map[string]Subject{
		"live": spreadTags(1000, 13), "purged": spreadTags(90, 13), "often purged": Tags{7}, "with many tags": spreadTags(1000, 1000),
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
