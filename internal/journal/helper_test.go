package journal

import (
	"maps"
	"math/rand/v2"
	"time"
)

// start is the beginning of time in tests, in milliseconds of Unix time.
const start = int64(1_800_000_000_000)

const (
	minute = int64(time.Minute / time.Millisecond)
	hour   = 60 * minute
	day    = 24 * hour
)

func inc(n byte) Incarnation { return Incarnation{n, 15: 1} }

func id(n byte, seq uint64) ID { return ID{inc(n), seq} }

func entry(n byte, seq uint64, body string) *Entry {
	return &Entry{ID: id(n, seq), Kind: KindPurge, Time: start, Body: []byte(body)}
}

// model is a set of sequence numbers, the dumb way.
type model map[uint64]bool

func (m model) union(o model) model {
	all := maps.Clone(m)
	maps.Copy(all, o)
	return all
}

func (m model) minus(o model) model {
	left := model{}
	for seq := range m {
		if !o[seq] {
			left[seq] = true
		}
	}
	return left
}

func modelOf(s Spans) model {
	m := model{}
	for _, span := range s {
		for seq := span.First; seq <= span.Last; seq++ {
			m[seq] = true
		}
	}
	return m
}

func randomSpans(r *rand.Rand) Spans {
	var s Spans
	for range r.IntN(6) {
		first := 1 + r.Uint64N(40)
		s = s.Union(Spans{{first, first + r.Uint64N(5)}})
	}
	return s
}

func randomRow(r *rand.Rand) Row {
	row := Row{}.with(randomSpans(r))
	row.Floor, row.Newest = r.Uint64N(30), start+r.Int64N(1000)
	return row
}

func randomVector(r *rand.Rand) Vector {
	v := Vector{}
	for range r.IntN(5) {
		v[inc(byte(r.IntN(6)))] = randomRow(r)
	}
	return v
}
