package native

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
)

// tailed is an open stream of a node's log, in virtual time.
type tailed struct {
	lines  chan []byte // what the node writes
	ctx    context.Context
	status int
	body   *bufio.Reader
}

// openTail asks for the log behind a server with short limits on whole
// requests, as the admin listener has them.
func openTail(t *testing.T, n *dialecttest.Node, token string) (tailed, func()) {
	t.Helper()
	out := tailed{lines: make(chan []byte)}
	h := New(Config{Door: n.Door(), Status: status, Tail: func(ctx context.Context, _ Tail) (<-chan []byte, error) {
		out.ctx = ctx
		return out.lines, nil
	}})
	conn, end := dialecttest.Serve(t, &http.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 20 * time.Second})
	go io.WriteString(conn, "GET /v1/log HTTP/1.1\r\nHost: a\r\nFastly-Key: "+token+"\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	out.status, out.body = resp.StatusCode, bufio.NewReader(resp.Body)
	return out, end
}

func (s tailed) want(t *testing.T, want string) {
	t.Helper()
	if line, err := s.body.ReadString('\n'); err != nil || line != want {
		t.Errorf("read %q, %v; want %q", line, err, want)
	}
}

// TestTailOutlivesTheLimitsOfRequests has lines hours apart.
func TestTailOutlivesTheLimitsOfRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, end := openTail(t, dialecttest.New(t), dialecttest.Watcher)
		defer end()
		if s.status != 200 {
			t.Fatalf("answered %d", s.status)
		}
		for i := range 3 {
			time.Sleep(aliveEvery / 4)
			s.lines <- fmt.Appendf(nil, `{"n":%d}`, i)
			s.want(t, fmt.Sprintf("{\"n\":%d}\n", i))
		}
		for range 100 {
			s.want(t, "\n") // one each time it would look dead
		}
		s.lines <- []byte("{}\n")
		s.want(t, "{}\n")
		close(s.lines)
		if rest, err := io.ReadAll(s.body); err != nil || len(rest) != 0 {
			t.Errorf("after the node's end: %q, %v", rest, err)
		}
	})
}

func TestTailEndsWithItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, end := openTail(t, dialecttest.New(t), dialecttest.Watcher)
		end()
		<-s.ctx.Done()
	})
}

// TestTailEndsWithItsToken revokes the token of a reader.
func TestTailEndsWithItsToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := dialecttest.New(t)
		info, secret, err := n.Control.CreateToken(dialecttest.Socket, control.NewTokenSpec{Name: "eye", Scopes: []string{"global:read"}})
		if err != nil {
			t.Fatal(err)
		}
		s, end := openTail(t, n, secret)
		defer end()
		if _, err := n.Control.RevokeToken(dialecttest.Socket, info.ID); err != nil {
			t.Fatal(err)
		}
		before := time.Now()
		if rest, err := io.ReadAll(s.body); err != nil || len(rest) != 0 || time.Since(before) > aliveEvery {
			t.Errorf("it read on for %v: %q, %v", time.Since(before), rest, err)
		}
	})
}

func TestTailShowsOnesOwn(t *testing.T) {
	n := dialecttest.New(t)
	_, secret, err := n.Control.CreateToken(dialecttest.Socket,
		control.NewTokenSpec{Name: "eye", Scopes: []string{"global:read"}, Services: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		secret:              `{"filter":"host=a","shop":true,"blog":false,"none":false}`,
		dialecttest.Watcher: `{"filter":"host=a","shop":true,"blog":true,"none":true}`,
	} {
		got := dialecttest.Send(t, handlerOf(t, n), recorded("GET /v1/log?filter=host%3Da", token, ""))
		if lines := strings.Split(got.Body, "\n"); len(lines) != 3 || lines[0] != want || lines[1] != `{"missed":2}` {
			t.Errorf("read %q, want %s", got.Body, want)
		}
		top := dialecttest.Send(t, handlerOf(t, n), recorded("GET /v1/top", token, ""))
		if strings.Contains(top.Body, "blog") != (token != secret) {
			t.Errorf("top shows %s", top.Body)
		}
	}
	head := httptest.NewRecorder()
	everything(n).ServeHTTP(head, httptest.NewRequest("HEAD", "/v1/log", nil))
	if head.Code != 200 || head.Body.Len() != 0 {
		t.Errorf("HEAD answered %d %q", head.Code, head.Body)
	}
}
