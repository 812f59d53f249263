package wire

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/journal"
)

var inc = journal.Incarnation{1, 2, 3}

func TestFrames(t *testing.T) {
	content := AppendBatch(nil, 7, []byte("entries"))
	content = AppendPing(content, TypePing, 99)
	content = AppendFrame(content, 200, []byte("of a later version"))
	var types []Type
	for len(content) > 0 {
		f, rest, err := NextFrame(content)
		if err != nil {
			t.Fatal(err)
		}
		types, content = append(types, f.Type), rest
		switch f.Type {
		case TypeBatch:
			if n, e, err := ParseBatch(f.Body); err != nil || n != 7 || string(e) != "entries" {
				t.Errorf("%d %q %v", n, e, err)
			}
		case TypePing:
			if token, err := ParsePing(f.Body); err != nil || token != 99 {
				t.Errorf("%d %v", token, err)
			}
		}
	}
	if !reflect.DeepEqual(types, []Type{TypeBatch, TypePing, 200}) {
		t.Error(types)
	}
	for _, bad := range [][]byte{{1}, {1, 0, 5, 1}, {1, 255, 255}} {
		if _, _, err := NextFrame(bad); err == nil {
			t.Errorf("% x was a frame", bad)
		}
	}
}

func TestAcks(t *testing.T) {
	acks := []Ack{
		{Receiver: IDOf("a"), Incarnation: inc, Head: 5, Held: time.Millisecond, Delay: 3 * time.Second},
		{Receiver: IDOf("b"), Incarnation: inc, Above: journal.Spans{{First: 2, Last: 9}, {First: 11, Last: 11}}},
	}
	var body []byte
	for i := range acks {
		n := len(body)
		if body = AppendAck(body, &acks[i]); len(body)-n > MaxAckSize {
			t.Errorf("%d bytes", len(body)-n)
		}
	}
	got, err := ParseAcks(body)
	if err != nil || !reflect.DeepEqual(got, acks) {
		t.Errorf("%+v %v", got, err)
	}
	// Of too many spans the first are sent.
	var many Ack
	many.Incarnation = inc
	for i := range uint64(20) {
		many.Above = append(many.Above, journal.Span{First: 10 + 3*i, Last: 10 + 3*i})
	}
	got, err = ParseAcks(AppendAck(nil, &many))
	if err != nil || len(got[0].Above) != MaxAckSpans || !got[0].Above.Canonical() {
		t.Errorf("%+v %v", got, err)
	}
}

func TestTimes(t *testing.T) {
	want := Times{Receiver: 7, Incarnation: inc, Runs: []Run{
		{First: 5, Last: 9, Delay: 24 * time.Millisecond}, {First: 1 << 40, Last: 1 << 40}, {First: 3, Last: 12, Delay: time.Microsecond},
	}}
	f, rest, err := NextFrame(AppendTimes(nil, &want))
	if err != nil || len(rest) > 0 || f.Type != TypeTimes {
		t.Fatalf("%+v %v", f, err)
	}
	if got, err := ParseTimes(f.Body); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %v", got, err)
	}
	// Of too many the last are sent.
	for i := range uint64(2 * MaxRuns) {
		want.Runs = append(want.Runs, Run{First: i, Last: i})
	}
	f, _, _ = NextFrame(AppendTimes(nil, &want))
	if got, err := ParseTimes(f.Body); err != nil || len(got.Runs) != MaxRuns || got.Runs[MaxRuns-1].Last != 2*MaxRuns-1 {
		t.Errorf("%+v %v", got, err)
	}
}

func TestProbes(t *testing.T) {
	p := Probe{Nonce: 1, Vector: journal.Digest{2}, State: [16]byte{3}}
	f, _, _ := NextFrame(AppendProbe(nil, &p))
	if got, err := ParseProbe(f.Body); err != nil || got != p {
		t.Errorf("%+v %v", got, err)
	}
	r := ProbeReply{Nonce: 1, SameVector: true}
	for i := range 1000 {
		r.Beats = append(r.Beats, Beat{Member: ID(i), Age: time.Duration(i) * time.Second})
	}
	packet := AppendProbeReply(nil, &r, 1000)
	if len(packet) > 1000 {
		t.Errorf("%d bytes", len(packet))
	}
	f, _, _ = NextFrame(packet)
	got, err := ParseProbeReply(f.Body)
	if err != nil || !got.SameVector || got.SameState || len(got.Beats) < 80 || got.Beats[50] != r.Beats[50] {
		t.Errorf("%+v %v", got, err)
	}
}

func TestAgesAreRoundedUp(t *testing.T) {
	f, _, _ := NextFrame(AppendProbeReply(nil, &ProbeReply{Beats: []Beat{{1, time.Nanosecond}}}, 1000))
	if got, _ := ParseProbeReply(f.Body); got.Beats[0].Age != time.Millisecond {
		t.Error("a heartbeat got younger on its way")
	}
}

func TestMeta(t *testing.T) {
	m := Meta{
		Session: [16]byte{1}, Identity: [16]byte{2}, Started: -3, SpreadPort: 7947, POP: string(bytes.Repeat([]byte("p"), MaxPOP)),
		Version: string(bytes.Repeat([]byte("v"), MaxVersion)), Policy: PolicyRefuse, After: 30 * time.Second,
		ShieldPort: 7948, HoldsBack: true,
	}
	for range MaxRoles {
		m.Roles = append(m.Roles, string(bytes.Repeat([]byte("r"), MaxRole)))
	}
	data := m.Append(nil)
	if len(data) > 512 {
		t.Errorf("%d bytes; memberlist takes 512", len(data))
	}
	got, err := ParseMeta(append(data, "what a later version adds"...))
	if err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v %v", got, err)
	}
	m.HoldsBack = false // what earlier versions say less of
	if got, err := ParseMeta(data[:len(data)-1]); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v %v", got, err)
	}
	m.ShieldPort = 0
	if got, err := ParseMeta(data[:len(data)-3]); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("%+v %v", got, err)
	}
}

func TestSync(t *testing.T) {
	s := SyncReply{
		Parts: 5, State: [16]byte{1}, Issuers: []journal.Incarnation{inc}, Acks: []byte("acks"),
		Beats: []Beat{{1, time.Second}}, Vector: []byte("vector"),
	}
	if got, err := ParseSyncReply(s.Append(nil)); err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("%+v %v", got, err)
	}
	ask := Sync{Issuers: []journal.Incarnation{inc, {9}}, Digests: []byte("digests")}
	if got, err := ParseSync(ask.Append(nil)); err != nil || !reflect.DeepEqual(got, ask) {
		t.Errorf("%+v %v", got, err)
	}
}

// What anybody may send is read without panic and without much memory, and
// what was read says the same again.
func FuzzFrames(f *testing.F) {
	f.Add(AppendBatch(AppendPing(nil, TypePong, 1), 1, []byte("x")))
	f.Add(AppendFrame(nil, TypeAck, AppendAck(nil, &Ack{Incarnation: inc, Head: 3, Above: journal.Spans{{First: 5, Last: 6}}})))
	f.Add(AppendTimes(nil, &Times{Receiver: 2, Incarnation: inc, Runs: []Run{{3, 5, time.Second}, {1, 1, 0}}}))
	f.Add(AppendProbe(nil, &Probe{Nonce: 1}))
	f.Add(AppendProbeReply(nil, &ProbeReply{Beats: []Beat{{1, 2}}}, 100))
	f.Fuzz(func(t *testing.T, content []byte) {
		for len(content) > 0 {
			frame, rest, err := NextFrame(content)
			if err != nil {
				return
			}
			content = rest
			switch frame.Type {
			case TypeBatch:
				_, _, _ = ParseBatch(frame.Body)
			case TypeAck:
				acks, err := ParseAcks(frame.Body)
				for i := range acks {
					if err == nil && (!acks[i].Above.Canonical() || len(acks[i].Above) > MaxAckSpans) {
						t.Fatalf("%+v", acks[i])
					}
				}
			case TypeTimes:
				got, err := ParseTimes(frame.Body)
				if err != nil {
					continue
				}
				again, _, _ := NextFrame(AppendTimes(nil, &got))
				if same, err := ParseTimes(again.Body); err != nil || !reflect.DeepEqual(got, same) {
					t.Fatalf("%+v, then %+v, %v", got, same, err)
				}
			case TypePing, TypePong:
				_, _ = ParsePing(frame.Body)
			case TypeProbe:
				_, _ = ParseProbe(frame.Body)
			case TypeProbeReply:
				if p, err := ParseProbeReply(frame.Body); err == nil && len(p.Beats) > MaxBeats {
					t.Fatal(len(p.Beats))
				}
			}
		}
	})
}

func FuzzMessages(f *testing.F) {
	hello := Hello{Name: "n", Session: [16]byte{1}}
	f.Add(hello.Append(nil))
	s := SyncReply{Issuers: []journal.Incarnation{inc}, Beats: []Beat{{1, 2}}}
	f.Add(s.Append(nil))
	m := Meta{POP: "p", Roles: []string{"r"}}
	f.Add(m.Append(nil))
	q := Query{Topic: "t", Body: []byte("b")}
	f.Add(q.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if m, err := ParseMeta(data); err == nil {
			if again, err := ParseMeta(m.Append(nil)); err != nil || !reflect.DeepEqual(m, again) {
				t.Fatalf("%+v %+v %v", m, again, err)
			}
		}
		_, _ = ParseHello(data)
		_, _ = ParseSync(data)
		_, _ = ParseSyncReply(data)
		_, _ = ParseQuery(data)
		_, _ = ParseRequest(data)
		_, _ = ParseResponse(data)
	})
}
