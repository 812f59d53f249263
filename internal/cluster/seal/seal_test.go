package seal

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"testing"
)

var (
	one = bytes.Repeat([]byte("1"), 32)
	two = bytes.Repeat([]byte("2"), 32)
)

func ring(t testing.TB, secrets ...[]byte) *Keyring {
	t.Helper()
	k, err := NewKeyring(secrets)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyringRefuses(t *testing.T) {
	for name, secrets := range map[string][][]byte{
		"none":  nil,
		"short": {[]byte("fifteen bytes..")},
		"twice": {one, two, one},
		"many":  {one, one, one, one, one, one, one, one, one},
	} {
		if _, err := NewKeyring(secrets); !errors.Is(err, ErrSecret) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPackets(t *testing.T) {
	k := ring(t, one)
	s, o := NewSealer(k, Session{1}), NewOpener(k, Session{2})
	content := []byte("hello")
	packet := s.Seal(nil, content)
	if len(packet) != len(content)+Overhead {
		t.Errorf("%d bytes", len(packet))
	}
	MarkHop(packet, true) // outside the seal
	got, refused := o.Open(nil, packet)
	if refused != Opened || !bytes.Equal(got.Content, content) || got.Session != (Session{1}) || !got.Hop {
		t.Fatalf("%v %+v", refused, got)
	}
	if _, refused := o.Open(nil, packet); refused != Replayed {
		t.Errorf("a second time: %v", refused)
	}
	if _, refused := NewOpener(k, Session{1}).Open(nil, packet); refused != Replayed {
		t.Errorf("one's own: %v", refused)
	}
	if _, refused := NewOpener(ring(t, two), Session{3}).Open(nil, packet); refused != UnknownKey {
		t.Errorf("another secret: %v", refused)
	}
	for i := 1; i < len(packet); i++ {
		bad := bytes.Clone(packet)
		bad[i] ^= 1
		if _, refused := NewOpener(k, Session{2}).Open(nil, bad); refused == Opened {
			t.Errorf("byte %d changed, and opened", i)
		}
	}
	if _, refused := o.Open(nil, packet[:Overhead-1]); refused != TooShort {
		t.Error(refused)
	}
	if _, refused := o.Open(nil, make([]byte, MaxPacket+1)); refused != TooLong {
		t.Error(refused)
	}
}

func TestRotation(t *testing.T) {
	s, o := NewSealer(ring(t, one), Session{1}), NewOpener(ring(t, one), Session{2})
	early := s.Seal(nil, []byte("early"))
	if _, refused := o.Open(nil, early); refused != Opened {
		t.Fatal(refused)
	}
	late := s.Seal(nil, []byte("late"))
	o.Rotate(ring(t, one, two))
	s.Rotate(ring(t, two, one))
	for _, packet := range [][]byte{s.Seal(nil, []byte("new")), late} {
		if _, refused := o.Open(nil, packet); refused != Opened {
			t.Fatal(refused)
		}
	}
	if _, refused := o.Open(nil, early); refused != Replayed {
		t.Errorf("a replay from before the change: %v", refused)
	}
	o.Rotate(ring(t, two))
	s.Rotate(ring(t, one))
	if _, refused := o.Open(nil, s.Seal(nil, nil)); refused != UnknownKey {
		t.Error(refused)
	}
}

// The window is compared with a set that remembers everything.
func TestWindow(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var w window
	seen, top := map[uint64]bool{}, uint64(0)
	for range 200_000 {
		c := top + uint64(rng.IntN(20)) - min(top, uint64(rng.IntN(20)))
		switch rng.IntN(1000) {
		case 0:
			c = top + uint64(rng.IntN(3*windowSize))
		case 1:
			c = top - min(top, uint64(rng.IntN(2*windowSize)))
		}
		want := Opened
		switch {
		case c == 0:
			want = Forged
		case c+windowSize <= top:
			want = Stale
		case seen[c]:
			want = Replayed
		}
		if got := w.check(c); got != want {
			t.Fatalf("%d at %d: %v, want %v", c, top, got, want)
		}
		if want == Opened {
			w.add(c)
			seen[c], top = true, max(top, c)
		}
	}
}

func TestSessionsAreBounded(t *testing.T) {
	k := ring(t, one)
	o := NewOpener(k, Session{})
	for i := range maxSessions + 100 {
		s := NewSealer(k, Session{1, byte(i), byte(i >> 8)})
		if _, refused := o.Open(nil, s.Seal(nil, nil)); refused != Opened {
			t.Fatal(refused)
		}
	}
	if len(o.sessions) != maxSessions || o.recent.Len() != maxSessions {
		t.Errorf("%d sessions", len(o.sessions))
	}
}

// pair opens a stream over a pipe.
func pair(t *testing.T, dialer, acceptor *Keyring) (a, b *Stream, err error) {
	t.Helper()
	x, y := net.Pipe()
	t.Cleanup(func() { x.Close(); y.Close() })
	random := rand.NewChaCha8([32]byte{1})
	done := make(chan error, 1)
	go func() {
		var err error
		b, err = Accept(y, acceptor, rand.NewChaCha8([32]byte{2}))
		if err != nil {
			y.Close()
		}
		done <- err
	}()
	a, err = Dial(x, dialer, random)
	if e := <-done; e != nil {
		err = e
	}
	return a, b, err
}

func TestStreams(t *testing.T) {
	k := ring(t, one)
	a, b, err := pair(t, k, k)
	if err != nil {
		t.Fatal(err)
	}
	big := bytes.Repeat([]byte("0123456789"), 50_000)
	go func() {
		_ = a.WriteMessage([]byte("small"))
		_ = a.WriteMessage(nil)
		_ = a.WriteMessage(big)
		_ = a.WriteMessage(big)
	}()
	large := 0
	for i, want := range [][]byte{[]byte("small"), nil, big} {
		got, err := b.ReadMessage(len(big), func() error { large++; return nil })
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("message %d: %d bytes, %v", i, len(got), err)
		}
	}
	if large != 1 {
		t.Errorf("%d messages were large, want 1", large)
	}
	if _, err := b.ReadMessage(len(big)-1, nil); !errors.Is(err, ErrTooLong) {
		t.Error(err)
	}
}

func TestStreamsRefuse(t *testing.T) {
	if _, _, err := pair(t, ring(t, one), ring(t, two)); !errors.Is(err, ErrRefused) {
		t.Errorf("another secret: %v", err)
	}
	// What was sealed on one stream opens on no other.
	k := ring(t, one)
	var recorded bytes.Buffer
	a := newStream(&recorded, &k.keys[0], make([]byte, randomSize), make([]byte, randomSize), true)
	if err := a.WriteMessage([]byte("purge all")); err != nil {
		t.Fatal(err)
	}
	other := make([]byte, randomSize)
	other[0] = 1
	for name, acceptor := range map[string][]byte{"same": make([]byte, randomSize), "other": other} {
		b := newStream(rw{bytes.NewReader(recorded.Bytes())}, &k.keys[0], make([]byte, randomSize), acceptor, false)
		_, err := b.ReadMessage(100, nil)
		if (err == nil) != (name == "same") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

type rw struct{ io.Reader }

func (rw) Write(b []byte) (int, error) { return len(b), nil }

func FuzzOpen(f *testing.F) {
	k := ring(f, one)
	f.Add(NewSealer(k, Session{1}).Seal(nil, []byte("seed")))
	f.Add([]byte{})
	o := NewOpener(k, Session{2})
	f.Fuzz(func(t *testing.T, packet []byte) {
		if got, refused := o.Open(nil, packet); refused == Opened && got.Session != (Session{1}) {
			t.Fatal("a forged packet was opened")
		}
	})
}

func FuzzStream(f *testing.F) {
	k := ring(f, one)
	f.Add([]byte{0, 0, 20, 1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newStream(rw{bytes.NewReader(data)}, &k.keys[0], nil, nil, false)
		if _, err := s.ReadMessage(1000, nil); err == nil {
			t.Fatal("a forged message was read")
		}
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	k := ring(b, one)
	s, o := NewSealer(k, Session{1}), NewOpener(k, Session{2})
	content, packet, scratch := make([]byte, 600), make([]byte, 0, MaxPacket), make([]byte, MaxPacket)
	for b.Loop() {
		packet = s.Seal(packet[:0], content)
		if _, refused := o.Open(scratch, packet); refused != Opened {
			b.Fatal(refused)
		}
	}
}
