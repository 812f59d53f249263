//go:build !race

package proxy

import (
	"strings"
	"testing"
)

// The race detector makes pools forget at random, so this is measured without.

func TestFastDoesNotAllocate(t *testing.T) {
	s := fastSite(t)
	for _, head := range []string{wrkHead, browserHead, strings.Replace(wrkHead, "\r\n\r\n", "\r\nRange: bytes=1-5\r\n\r\n", 1)} {
		r := fastRequest(head)
		if n := testing.AllocsPerRun(100, func() {
			if !s.proxy.ServeFast(nowhere{}, r) {
				t.Fatal("declined")
			}
		}); n != 0 {
			t.Errorf("%v allocations for %q", n, head)
		}
	}
}
