//go:build e2e

package test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/client"
)

// atOnce is the most time that a purge, a token or a revocation usually takes to
// another member in the lab. They take milliseconds; a busy machine is given more.
const atOnce = time.Second

// pace is how long things took that go from member to member.
type pace struct{ took []time.Duration }

// soon waits until done, and takes note of how long that takes.
func (p *pace) soon(t *testing.T, what string, done func() bool) {
	t.Helper()
	began := time.Now()
	eventually(t, what, done)
	p.took = append(p.took, time.Since(began))
}

// check fails the test where more than half of them took longer than they should:
// one of them may have met a machine that had no time for it.
func (p *pace) check(t *testing.T) {
	t.Helper()
	slices.Sort(p.took)
	if usual := p.took[len(p.took)/2]; usual > atOnce {
		t.Errorf("half of what went from member to member took %v or longer; %v is the most", usual, atOnce)
	}
	t.Logf("the slowest of %d took %v", len(p.took), p.took[len(p.took)-1])
}

// knows tells whether a member has applied a purge.
func (m *member) knows(id string) bool {
	_, err := m.client.Receipt(context.Background(), id)
	return err == nil
}

// purgePage purges a page at a member and returns the id.
func (m *member) purgePage(page int) string {
	m.t.Helper()
	receipt, err := m.client.Purge(context.Background(), api.Purge{Service: "shop", Keys: []string{pageKey(page)}})
	if err != nil {
		m.t.Fatal(err)
	}
	return receipt.ID
}

func TestTokensAreGoodOrDeadEverywhere(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		const root = "root-of-the-tests"
		members := l.startCluster(3, clusterSettings{
			origin: startVersions(t).url, secret: clusterSecret, disk: true,
			service: "    purge: {require_token: true}\n",
			top:     `tokens: [{name: root, value: "` + root + `", scopes: [global]}]` + "\n",
		})
		created, err := members[0].with(root).CreateToken(t.Context(), api.NewToken{Name: "ci", Scopes: []api.Scope{api.ScopePurgeSelect}})
		if err != nil {
			t.Fatal(err)
		}
		purge := func(m *member) error {
			_, err := m.with(created.Value).Purge(t.Context(), api.Purge{Service: "shop", Keys: []string{"x"}})
			return err
		}
		var p pace
		for _, m := range members {
			p.soon(t, "the token is good at "+m.name, func() bool { return purge(m) == nil })
		}
		if err := members[2].with(root).RevokeToken(t.Context(), created.ID); err != nil {
			t.Fatal(err)
		}
		if err := purge(members[2]); !refusedAs(err, http.StatusUnauthorized) {
			t.Errorf("where it was revoked: %v", err)
		}
		for _, m := range members {
			p.soon(t, "the token is dead at "+m.name, func() bool { return refusedAs(purge(m), http.StatusUnauthorized) })
		}
		p.check(t)
		members[1].kill()
		members[1].launch()
		members[1].awaitReady()
		if err := purge(members[1]); !refusedAs(err, http.StatusUnauthorized) {
			t.Errorf("after a restart: %v", err)
		}
	})
}

// with returns a client with a token.
func (m *member) with(token string) *client.Client {
	m.t.Helper()
	c, err := client.New(m.admin, client.Options{Token: token})
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(c.Close)
	return c
}

func refusedAs(err error, status int) bool {
	var problem *api.Problem
	return errors.As(err, &problem) && problem.Status == status
}

// A node with another secret gets nothing and changes nothing. It is not ready, and
// the members say who tries.
func TestWrongSecretIsRefused(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		origin := startVersions(t)
		s := clusterSettings{origin: origin.url, secret: clusterSecret}
		members := l.startCluster(3, s)
		s.secret = "guessed, and wrong: 0123456789"
		stranger := newMember(t, l.newHost(), s, []*machine{members[0].machine, members[1].machine})
		stranger.launch()
		eventually(t, "the stranger answers", func() bool { code, _ := stranger.readiness(); return code != 0 })

		visit(t, members[0], 1, "MISS")
		visit(t, stranger, 1, "MISS")
		theirs := stranger.purgePage(1)
		ours := members[0].purgePage(2)
		for _, m := range members[1:] {
			eventually(t, "a purge is known at "+m.name, func() bool { return m.knows(ours) })
		}
		eventually(t, "members say who tries", func() bool {
			said := members[0].out.text() + members[1].out.text()
			return strings.Contains(said, "no installed keys could decrypt") && strings.Contains(said, stranger.back())
		})
		if code, why := stranger.readiness(); code != http.StatusServiceUnavailable {
			t.Errorf("the stranger's readiness: %d %s", code, why)
		}
		for _, m := range members {
			if m.knows(theirs) {
				t.Errorf("%s has applied a stranger's purge", m.name)
			}
			if c := m.cluster(); c == nil || c.Roster != len(members) {
				t.Errorf("%s: the cluster is %+v", m.name, c)
			}
		}
		if stranger.knows(ours) {
			t.Error("the stranger has learned of a purge")
		}
		visit(t, members[0], 1, "HIT")
	})
}

// visit asks a member for a page.
func visit(t *testing.T, m *member, page int, want string) {
	t.Helper()
	resp, err := http.Get(m.site() + pagePath(page))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("X-Cache"); got != want {
		t.Errorf("%s, %s: %s, want %s", m.name, pagePath(page), got, want)
	}
}

// Garbage that pours in where entries arrive stops no purge, in or out.
func TestFloodDoesNotStopPurges(t *testing.T) {
	inLab(t, func(t *testing.T, l *lab) {
		members := l.startCluster(3, clusterSettings{
			origin: startVersions(t).url, secret: clusterSecret, service: "    purge: {limits: off}\n",
		})
		flooded := members[0]
		sent := flood(t, flooded.back(), memberPort, spreadPort)
		var p pace
		for i := range 100 {
			at := members[i%len(members)]
			id := at.purgePage(i % pageCount)
			for _, m := range members {
				p.soon(t, "purge "+strconv.Itoa(i)+" at "+m.name, func() bool { return m.knows(id) })
			}
		}
		p.check(t)
		t.Logf("%d packets of garbage", sent())
		flooded.awaitReady()
	})
}

// Of the flood: as much as leaves the machine of the tests time for the members.
const (
	floodEvery = time.Millisecond
	floodBurst = 50
)

// flood sends garbage to ports of an address until the result is called, which
// says how many packets there were.
func flood(t *testing.T, address string, ports ...int) (stop func() int) {
	t.Helper()
	var conns []net.Conn
	for _, port := range ports {
		c, err := net.Dial("udp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	ctx, cancel := context.WithCancel(t.Context())
	count := make(chan int, 1)
	go func() {
		n := 0
		defer func() { count <- n }()
		garbage := make([]byte, 1200)
		_, _ = rand.Read(garbage) // never fails
		tick := time.NewTicker(floodEvery)
		defer tick.Stop()
		for ctx.Err() == nil {
			for range floodBurst {
				garbage[n%len(garbage)]++
				for _, c := range conns {
					if _, err := c.Write(garbage[:1+n%len(garbage)]); err == nil {
						n++
					}
				}
			}
			<-tick.C
		}
	}()
	t.Cleanup(func() {
		cancel()
		for _, c := range conns {
			c.Close()
		}
	})
	return func() int { cancel(); return <-count }
}
