package origin

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestAnOriginIsBelievedWhenItCloses: a request that may not be repeated does not go
// out on a connection that the origin is about to close.
func TestAnOriginIsBelievedWhenItCloses(t *testing.T) {
	for _, test := range []struct {
		says  string
		wait  time.Duration
		dials int
	}{
		{"", 29 * time.Second, 1},
		{"Keep-Alive: timeout=5, max=100\r\n", 3900 * time.Millisecond, 1},
		{"Keep-Alive: timeout=5, max=100\r\n", 4100 * time.Millisecond, 2},
		{"keep-alive: max=9,Timeout = 5\r\n", 4100 * time.Millisecond, 2},
		{"Keep-Alive: timeout=1\r\n", 400 * time.Millisecond, 1},
		{"Keep-Alive: timeout=1\r\n", 600 * time.Millisecond, 2},
		{"Keep-Alive: timeout=0\r\n", 0, 2},
		{"Keep-Alive: timeout=99999999999\r\n", 29 * time.Second, 1},
		{"Keep-Alive: timeout=4000000000\r\n", 29 * time.Second, 1},
		{"Keep-Alive: timeout=-1\r\n", 29 * time.Second, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFakeNet()
			f.set("192.0.2.1:80", answering("HTTP/1.1 200 OK\r\n"+test.says+"Content-Length: 0\r\n\r\n"))
			p := newPool(t, f, func(c *Config) { c.KeepAlive = 30 * time.Second })
			mustFetch(t, p, get("/"))
			pause(test.wait)
			mustFetch(t, p, post(nil, 0))
			if n := len(f.dialled()); n != test.dials {
				t.Errorf("%q, after %v: %d connections, want %d", test.says, test.wait, n, test.dials)
			}
			p.Close()
		})
	}
}
