package link

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

func seed(b byte) []byte { s := make([]byte, SeedBytes); s[0] = b; return s }

func knows(seeds ...[]byte) *Identity { return NewIdentity(func() [][]byte { return seeds }) }

// meet has a client dial a server, and tells whether a byte came across.
func meet(t *testing.T, server, client *Identity) (ok bool, state *tls.ConnectionState) {
	t.Helper()
	under, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := NewListener(under, server, nil)
	defer l.Close()
	var served sync.WaitGroup
	served.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		seen := conn.(*tls.Conn).ConnectionState()
		state = &seen
		io.WriteString(conn, "x")
		conn.Close()
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn, err := (&tls.Dialer{Config: client.Client()}).DialContext(ctx, "tcp", under.Addr().String())
	if err == nil {
		conn.SetDeadline(time.Now().Add(time.Minute))
		n, _ := conn.Read(make([]byte, 1))
		ok = n == 1
		conn.Close()
	}
	l.Close()
	served.Wait()
	return ok, state
}

func TestOnlyMembersMeet(t *testing.T) {
	one, two := seed(1), seed(2)
	for _, tc := range []struct {
		name           string
		server, client *Identity
		want           bool
	}{
		{"the same secret", knows(one), knows(one), true},
		{"another secret", knows(one), knows(two), false},
		{"the server has begun to change", knows(one, two), knows(one), true},
		{"the client uses the new one", knows(one, two), knows(two, one), true},
		{"the old one is gone at the server", knows(two), knows(two, one), true},
		{"the old one is in use at the client", knows(two), knows(one, two), false},
		{"no secret", knows(one), knows(), false},
	} {
		if got, _ := meet(t, tc.server, tc.client); got != tc.want {
			t.Errorf("%s: they meet: %v", tc.name, got)
		}
	}
}

// TestKnowsForgets refuses a connection whose secret has been taken away.
func TestKnowsForgets(t *testing.T) {
	seeds := [][]byte{seed(1)}
	id := NewIdentity(func() [][]byte { return seeds })
	ok, state := meet(t, id, knows(seed(1)))
	if !ok || !id.Knows(state) {
		t.Fatal("they do not meet")
	}
	seeds = [][]byte{seed(2)}
	if id.Knows(state) || id.Knows(nil) || id.Knows(&tls.ConnectionState{}) {
		t.Error("who has no secret is known")
	}
}
