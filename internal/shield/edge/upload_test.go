package edge

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/shield"
)

// slowBody arrives in pieces, and says where it was read from meanwhile.
type slowBody struct{ left int }

func (b *slowBody) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	if b.left == 0 {
		return 0, io.EOF
	}
	b.left--
	return copy(p, "piece"), nil
}

// TestAShieldThatRefusesInTheMiddleOfABody: what it may have read of the body is
// lost, so nobody else gets the rest for the whole.
func TestAShieldThatRefusesInTheMiddleOfABody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := ""
		dial := func(_ context.Context, _, address string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				req, err := http.ReadRequest(bufio.NewReader(theirs))
				if err != nil {
					return
				}
				if address == "10.0.0.1:1" {
					time.Sleep(time.Second / 2)
					io.WriteString(theirs, answer("1 refused "+session+" - - no-shield", ""))
					io.Copy(io.Discard, theirs)
					return
				}
				body, err := io.ReadAll(req.Body)
				got = fmt.Sprintf("%s, %v", body, err)
				io.WriteString(theirs, answer("1 passed "+session+" 0 -", "b"))
			}()
			return ours, nil
		}
		p := New(Config{
			Service: "s", Name: "e", Session: func() shield.Session { return shield.Session{1} },
			Members: func() []Member { return []Member{{"a", "10.0.0.1:1"}, {"b", "10.0.0.2:1"}} },
			Direct:  &played{}, Applied: &Log{}, Counters: new(Counters), Log: slog.New(slog.DiscardHandler),
			Pool: origin.Config{FirstByteTimeout: time.Minute, Dial: dial},
		})
		defer p.Close()
		text, parent, _, err := ask(t, p, "PUT", belongs(p, "a"), &slowBody{left: 3})
		if err == nil && got != "piecepiecepiece, <nil>" {
			t.Errorf("%q by %q, which got %q of the body", text, parent, got)
		}
	})
}
