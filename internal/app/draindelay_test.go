package app

import (
	"io"
	"net/http"
	"testing"
	"time"
)

// A node that is told to stop says so, and serves everybody for drain_delay.
func TestDrainDelay(t *testing.T) {
	t.Parallel() // most of it is waiting
	const delay = time.Second
	g := newGroup(t, 1)
	n := g.nodes[0]
	n.top = "drain_delay: 1s"
	n.start()
	site, ready := "http://"+n.app.Addrs()[0].String()+"/", "http://"+n.app.AdminAddr().String()+"/readyz"
	began, stopped := time.Now(), make(chan error, 1)
	go func() { stopped <- n.app.Stop() }()
	ask := func(url string) int {
		r, _ := http.NewRequestWithContext(t.Context(), "GET", url, nil)
		r.Host = "shop.example"
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			return 0
		}
		defer answer.Body.Close()
		io.Copy(io.Discard, answer.Body)
		return answer.StatusCode
	}
	within(t, "/readyz says 503", func() bool { return ask(ready) == 503 })
	if got := ask(site); got != 200 && time.Since(began) < delay {
		t.Errorf("while load balancers look elsewhere, a new connection got %d", got)
	}
	if _, err := n.admin.Purge(t.Context(), purgeK); err != nil && time.Since(began) < delay {
		t.Errorf("a purge meanwhile: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took < delay {
		t.Errorf("it stopped after %v", took)
	}
	n.app = nil
	if ask(site) != 0 {
		t.Error("it still answers")
	}
}
