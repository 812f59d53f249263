package origin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestInterimResponsesAreTold(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", answering("HTTP/1.1 103 Early Hints\r\nLink: </b>\r\nLink: </a>\r\n\r\n"+
		"HTTP/1.1 199 Odd\r\n\r\n"+simple))
	p := newPool(t, f, nil)
	var told []string
	r := get("/")
	r.Interim = func(status int, f field.Fields) { told = append(told, fmt.Sprint(status, f)) }
	res, body := mustFetch(t, p, r)
	if want := []string{"103 [{Link </b>} {Link </a>}]", "199 []"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
	if res.Status != 200 || body != "ok" || res.Fields.Has("Link") {
		t.Errorf("final response %d %q %q", res.Status, body, res.Fields)
	}
}

// TestNothingIsCalledAfterAnError: the caller's context ends while an interim
// response is being told; Do returns only when that is over.
func TestNothingIsCalledAfterAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFakeNet()
		f.set("192.0.2.1:80", func(c *fakeConn) {
			c.head()
			for range 10 {
				c.say("HTTP/1.1 103 Early Hints\r\n\r\n")
			}
			c.untilClosed()
		})
		p := newPool(t, f, nil)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		inside, returned := false, false
		r := get("/")
		r.Interim = func(int, field.Fields) {
			if returned {
				t.Error("called after Do returned")
			}
			inside = true
			cancel()
			pause(1)
			inside = false
		}
		_, err := p.Do(ctx, r)
		returned = true
		wantKind(t, err, KindCanceled)
		if inside {
			t.Error("Do returned while Interim runs")
		}
		synctest.Wait()
	})
}

func TestUpgrade(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		if h := c.head(); !strings.Contains(h, "Connection: Upgrade\r\n") || !strings.Contains(h, "Upgrade: websocket\r\n") {
			t.Errorf("head %q", h)
		}
		c.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nConnection: upgrade\r\nSec-WebSocket-Accept: x\r\n\r\nearly\n")
		line, _ := c.r.ReadString('\n')
		c.say("echo " + line)
		c.untilClosed()
	})
	p := newPool(t, f, nil)
	r := get("/chat")
	r.Upgrade = "websocket"
	res, err := p.Do(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := res.Fields.Get("Sec-WebSocket-Accept"); res.Status != 101 || v != "x" || res.Upgraded == nil {
		t.Fatalf("response %+v", res)
	}
	up := bufio.NewReader(res.Upgraded)
	if line, _ := up.ReadString('\n'); line != "early\n" {
		t.Errorf("first line %q", line)
	}
	io.WriteString(res.Upgraded, "hi\n")
	if line, _ := up.ReadString('\n'); line != "echo hi\n" {
		t.Errorf("second line %q", line)
	}
	if n := p.Status()[0].InFlight; n != 1 {
		t.Errorf("%d in flight", n)
	}
	res.Upgraded.Close()
	if s := p.Status()[0]; s.InFlight != 0 || s.Connections != 0 {
		t.Errorf("status %+v", s)
	}
}

func TestUpgradeEndsWithItsContext(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		c.head()
		c.say("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")
		c.untilClosed()
	})
	p := newPool(t, f, nil)
	ctx, cancel := context.WithCancel(context.Background())
	r := get("/")
	r.Upgrade = "x"
	res, err := p.Do(ctx, r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Upgraded.Close()
	cancel()
	if _, err := res.Upgraded.Read(make([]byte, 1)); err == nil {
		t.Error("read goes on after the context ended")
	}
}

func TestUpgradeNotTaken(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", answering(simple))
	p := newPool(t, f, nil)
	r := get("/")
	r.Upgrade = "websocket"
	if res, body := mustFetch(t, p, r); res.Status != 200 || body != "ok" || res.Upgraded != nil {
		t.Errorf("response %+v, body %q", res, body)
	}
	f.set("192.0.2.1:80", answering("HTTP/1.1 101 Switching Protocols\r\nUpgrade: other\r\nConnection: upgrade\r\n\r\n"))
	p = newPool(t, f, nil)
	_, _, err := fetch(p, r)
	wantKind(t, err, KindGarbage)
}
