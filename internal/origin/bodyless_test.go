package origin

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// net/http lets the next exchange have a connection before it returns a response
// without a body. Each must get its own head nevertheless.
func TestBodylessResponsesKeepTheirHeads(t *testing.T) {
	f := newFakeNet()
	f.set("192.0.2.1:80", func(c *fakeConn) {
		for {
			target := strings.Fields(c.head() + " - -")[1]
			if target == "-" {
				return
			}
			c.say("HTTP/1.1 304 Not Modified\r\nSurrogate-Key: " + target + "\r\n\r\n")
		}
	})
	p := newPool(t, f, func(c *Config) { c.Origins = []Endpoint{{URL: "http://192.0.2.1"}} })
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 500 {
				want := fmt.Sprintf("/%d/%d", i, k)
				res, err := p.Do(context.Background(), get(want))
				if err != nil {
					t.Error(err)
					return
				}
				if got, _ := res.Fields.Get("Surrogate-Key"); got != want {
					t.Errorf("got the head of %s, want %s", got, want)
				}
				res.Body.Close()
			}
		})
	}
	wg.Wait()
}
