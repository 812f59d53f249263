package server

import (
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
)

// A client that stops inside a frame is idle like any other: nothing spins until
// its time is over, and then the connection ends.
func TestHTTP2ClientThatStopsInsideAFrame(t *testing.T) {
	for name, frame := range map[string]http2.FrameType{"unknown": 0x42, "ping": http2.FramePing, "priority": http2.FramePriority} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const idle = 10 * time.Second // sooner than a PING would find out
				f := startSite(t, false, Config{Limits: Limits{IdleTimeout: idle}}, true, nil)
				c := f.speak(false)
				c.mute = true
				c.answers(true, c.get("/hit/1"))
				c.net.Write(appendFrameHeader(nil, frameHeader{length: 8, kind: uint8(frame)}))
				began := time.Now()
				c.goneAway()
				if d := time.Since(began); d > idle+2*time.Second {
					t.Errorf("after %v", d)
				}
				synctest.Wait()
				if f.Stats().Open != 0 {
					t.Error("still in the table")
				}
			})
		})
	}
}
