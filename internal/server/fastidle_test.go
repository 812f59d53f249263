package server

import (
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// slowHandler answers when it is released.
func slowHandler(release <-chan struct{}) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
			io.WriteString(w, r.Method+" "+r.RequestURI+" ")
		case <-r.Context().Done():
		}
	})
}

// A connection is kept for IdleTimeout after the last answer, and no longer,
// whether net/http or the FastHandler gave it, and for as long as there are
// requests.
func TestIdleTimeCountsFromTheLastAnswer(t *testing.T) {
	for _, first := range []string{getFast, get} {
		for _, pause := range []time.Duration{0, time.Second, 9 * time.Second, defaultIdle - time.Second} {
			synctest.Test(t, func(t *testing.T) {
				f := startFast(t, false, Config{})
				c := f.connect()
				c.send(first, 0)
				c.response()
				for range 20 {
					<-time.After(pause)
					c.send(getFast, 0)
					c.wantAnswer("/fast", true)
				}
				last := time.Now()
				c.wantEnd()
				if d := time.Since(last); d != defaultIdle {
					t.Errorf("after %v, not %v", d, defaultIdle)
				}
				if len(f.refusals()) > 0 {
					t.Errorf("events: %+v", f.refusals())
				}
			})
		}
	}
}

// The time for a head is not made longer or shorter by answers before it.
func TestSlowHeadAfterFastAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startFast(t, false, Config{})
		c := f.connect()
		for range 5 {
			c.send(getFast, 0)
			c.wantAnswer("/fast", true)
			<-time.After(50 * time.Second)
		}
		c.send("GET /slow", 0)
		began := time.Now()
		if r, _ := c.response(); r.StatusCode != 408 {
			t.Errorf("%d", r.StatusCode)
		}
		if d := time.Since(began); d != defaultHeadTimeout {
			t.Errorf("after %v", d)
		}
		c.wantEnd()
	})
}

// A handler may take longer than any deadline that was there before it.
func TestNoReadDeadlineIsLeftBehind(t *testing.T) {
	for _, before := range []string{getFast, get, ""} {
		synctest.Test(t, func(t *testing.T) {
			release := make(chan struct{}, 2)
			release <- struct{}{}
			f := startFast(t, false, Config{Handler: slowHandler(release)})
			c := f.connect()
			if before != "" {
				c.send(before, 0)
				c.response()
			}
			for len(release) > 0 {
				<-release
			}
			c.send("GET /long HTTP/1.1\r\nHost: a\r\n\r\n", 0)
			<-time.After(10 * defaultIdle)
			release <- struct{}{}
			c.wantAnswer("/long", false)
			last := time.Now()
			c.wantEnd()
			if d := time.Since(last); d != defaultIdle {
				t.Errorf("closed after %v", d)
			}
		})
	}
}

// A drain ends connections that wait on an extended deadline at once.
func TestDrainAfterALongSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := startFast(t, false, Config{})
		c := f.connect()
		c.send(getFast, 0)
		c.wantAnswer("/fast", true)
		<-time.After(defaultIdle - time.Second)
		began := time.Now()
		if err := f.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		c.wantEnd()
		if d := time.Since(began); d > time.Second { // net/http looks every now and then
			t.Errorf("after %v", d)
		}
	})
}
