package edge

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/shield"
)

// played are shields that a test plays, by address, before an origin.
type played struct {
	mu     sync.Mutex
	say    map[string]string // what an address answers; "": nothing, for ever
	asked  map[string]int
	fresh  int // of those asked, for what the origin says
	direct int
}

func (p *played) Do(context.Context, *origin.Request) (*origin.Response, error) {
	p.direct++
	return &origin.Response{Status: 200, Body: io.NopCloser(strings.NewReader("origin")), ContentLength: 6}, nil
}

func (p *played) dial(_ context.Context, _, address string) (net.Conn, error) {
	p.mu.Lock()
	answer, up := p.say[address]
	p.mu.Unlock()
	if !up {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("refused")}
	}
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		r := bufio.NewReader(theirs)
		for {
			req, err := http.ReadRequest(r)
			if err != nil {
				return
			}
			io.Copy(io.Discard, req.Body)
			p.mu.Lock()
			p.asked[address]++
			p.mu.Unlock()
			a, err := shield.ParseAsk(req.Header.Get(shield.AskField))
			if err != nil {
				return
			}
			if a.Fresh {
				p.mu.Lock()
				p.fresh++
				p.mu.Unlock()
			}
			if answer != "" {
				io.WriteString(theirs, answer)
			}
		}
	}()
	return ours, nil
}

func answer(word, body string) string {
	return "HTTP/1.1 200 OK\r\nContent-Length: " + string(rune('0'+len(body))) + "\r\nRescind-Shield: " + word + "\r\nX-Own: y\r\n\r\n" + body
}

const session = "BQAAAAAAAAAAAAAAAAAAAA"

func inPlay(t *testing.T, say map[string]string, do func(t *testing.T, pl *played, p *Parent)) {
	synctest.Test(t, func(t *testing.T) {
		pl := &played{say: say, asked: map[string]int{}}
		p := New(Config{
			Service: "s", Name: "e", Session: func() shield.Session { return shield.Session{1} },
			Members: func() []Member { return []Member{{"a", "10.0.0.1:1"}, {"b", "10.0.0.2:1"}} },
			Direct:  pl, Applied: &Log{}, Counters: new(Counters), Log: slog.New(slog.DiscardHandler),
			Pool: origin.Config{FirstByteTimeout: time.Minute, Dial: pl.dial},
		})
		do(t, pl, p)
		p.Close()
	})
}

// belongs returns a path of which a member is the first to be asked.
func belongs(p *Parent, member string) field.Target {
	for path := "/"; ; path += "x" {
		if t := (field.Target{Scheme: "http", Host: "h.example", Path: path}); p.Choose(t) == member {
			return t
		}
	}
}

func ask(t *testing.T, p *Parent, method string, target field.Target, body io.Reader) (text, parent string, took time.Duration, err error) {
	t.Helper()
	began := time.Now()
	r := &origin.Request{Method: method, Target: target, Host: target.Host, Fields: field.Fields{{Name: shield.AskField, Value: "a client's"}}}
	if body != nil {
		r.Body, r.ContentLength = body, -1
	}
	resp, said, err := p.Do(context.Background(), r)
	if err != nil {
		return "", said.Parent, time.Since(began), err
	}
	defer resp.Body.Close()
	if resp.Fields.Has(shield.WordField) {
		t.Error("the shield's word is left in the response")
	}
	all, err := io.ReadAll(resp.Body)
	return string(all), said.Parent, time.Since(began), err
}

// TestWhatAShieldHasTakenBackMayBeInForceHere has a shield answer from its store after a
// revert that the edge has, or has not, heard of.
func TestWhatAShieldHasTakenBackMayBeInForceHere(t *testing.T) {
	undone := shield.Word{How: shield.Hit, Session: shield.Session{5}, HasLeft: true, Undone: []shield.Purge{{1}, {2}}}
	say := map[string]string{"10.0.0.1:1": answer(string(undone.Append(nil)), "a")}
	for _, tc := range []struct {
		inForce shield.Purge
		asked   int
	}{{shield.Purge{2}, 2}, {shield.Purge{3}, 1}} {
		inPlay(t, say, func(t *testing.T, pl *played, p *Parent) {
			p.cfg.InForce = func(id shield.Purge) bool { return id == tc.inForce }
			text, parent, _, err := ask(t, p, "GET", belongs(p, "a"), nil)
			if err != nil || text != "a" || parent != "a" || pl.asked["10.0.0.1:1"] != tc.asked || pl.fresh != tc.asked-1 || pl.direct != 0 {
				t.Errorf("%q of %s, %v; asked %v, %d times for what the origin says", text, parent, err, pl.asked, pl.fresh)
			}
		})
	}
}

func TestTheNextShieldIsAsked(t *testing.T) {
	good := answer("1 hit "+session+" 0 1000/1000/1000/1000", "b")
	for name, bad := range map[string]struct {
		say  string
		up   bool
		took time.Duration
	}{
		"it is down":              {"", false, 0},
		"it says nothing":         {"", true, acceptWithin},
		"it refuses":              {answer("1 refused "+session+" - - no-shield", ""), true, 0},
		"it does not understand":  {"HTTP/1.1 431 Too Long\r\nContent-Length: 0\r\n\r\n", true, 0},
		"it is something else":    {"what?\r\n\r\n", true, 0},
		"its word cannot be read": {answer("7 hit", "a"), true, 0},
	} {
		say := map[string]string{"10.0.0.2:1": good}
		if bad.up {
			say["10.0.0.1:1"] = bad.say
		}
		t.Run(name, func(t *testing.T) {
			inPlay(t, say, func(t *testing.T, pl *played, p *Parent) {
				target := belongs(p, "a")
				text, parent, took, err := ask(t, p, "GET", target, nil)
				if text != "b" || parent != "b" || took != bad.took || err != nil {
					t.Errorf("%q by %q after %v: %v", text, parent, took, err)
				}
				if _, parent, took, _ := ask(t, p, "GET", target, nil); parent != "b" || took > time.Second {
					t.Errorf("the second time by %q after %v", parent, took)
				}
				if pl.direct > 0 || p.Last() != "" {
					t.Errorf("%d requests went to the origin, %q", pl.direct, p.Last())
				}
			})
		})
	}
}

// TestWhatMayNotBeRepeated sends a POST to a shield that takes it and dies.
func TestWhatMayNotBeRepeated(t *testing.T) {
	inPlay(t, map[string]string{"10.0.0.1:1": ""}, func(t *testing.T, pl *played, p *Parent) {
		_, _, took, err := ask(t, p, "POST", belongs(p, "a"), strings.NewReader("body"))
		var failure *origin.Error
		if !errors.As(err, &failure) || !failure.Timeout() || took != acceptWithin || pl.direct != 0 {
			t.Errorf("after %v: %v; %d went to the origin", took, err, pl.direct)
		}
		// One that is down takes nothing, so the body can go elsewhere.
		delete(pl.say, "10.0.0.1:1")
		time.Sleep(time.Minute)
		if text, _, _, err := ask(t, p, "POST", belongs(p, "b"), strings.NewReader("body")); text != "origin" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		if why := p.Last(); why != Unreachable {
			t.Errorf("it went to the origin because of %q", why)
		}
	})
}

func TestAShieldAtWorkIsWaitedFor(t *testing.T) {
	slow := "HTTP/1.1 102 Processing\r\nRescind-Shield: 1\r\n\r\n"
	inPlay(t, map[string]string{"10.0.0.1:1": slow}, func(t *testing.T, _ *played, p *Parent) {
		if _, _, took, err := ask(t, p, "GET", belongs(p, "a"), nil); err == nil || took < 50*time.Second {
			t.Errorf("it was given up after %v: %v", took, err)
		}
	})
}

// TestAShieldThatConfirmsTooMuch is told of purges that it cannot know, as if it had
// said nothing.
func TestAShieldThatConfirmsTooMuch(t *testing.T) {
	inPlay(t, map[string]string{"10.0.0.1:1": answer("1 hit "+session+" 1000 -", "a")}, func(t *testing.T, pl *played, p *Parent) {
		target := belongs(p, "a")
		if text, _, _, err := ask(t, p, "GET", target, nil); text != "a" || err != nil {
			t.Fatalf("%q, %v", text, err)
		}
		p.cfg.Applied.Purge("s", 7, journal.ID{Incarnation: journal.Incarnation{1}, Seq: 1})
		asked := p.askOf(p.line(Member{"a", "10.0.0.1:1"}), target)
		if asked.At != 7 || asked.Since >= 7 || len(asked.Entries) != 1 {
			t.Errorf("it is asked %+v", asked)
		}
	})
}
