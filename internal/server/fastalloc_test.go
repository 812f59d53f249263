//go:build !race

// Under the race detector pools forget at random, and allocations mean nothing.

package server

import (
	"io"
	"testing"
)

// From the first byte of a request to the last of its answer, nothing is
// allocated.
func TestFastAnswersDoNotAllocate(t *testing.T) {
	for _, size := range []int{1 << 10, 100 << 10} {
		for _, warm := range []string{"", get} { // net/http's buffer is another after its first request
			h := newCanned(size)
			f := start(t, true, Config{Fast: fastFunc(func(w FastWriter, r *FastRequest) bool {
				return r.Target != "/a" && h.ServeFast(w, r)
			})})
			c := f.connect()
			if warm != "" {
				c.send(warm, 0)
				c.response()
			}
			in, out := []byte(chromeHead), make([]byte, len(h.head)+size)
			cycle := func() {
				if _, err := c.Write(in); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(c.Conn, out); err != nil {
					t.Fatal(err)
				}
			}
			cycle()
			if n := testing.AllocsPerRun(500, cycle); n != 0 {
				t.Errorf("%v allocations for %d bytes, after %q", n, size, warm)
			}
			c.Close()
		}
	}
}
