package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
)

// send sends a purge with the root token and returns the answer.
func (o *one) send(t *testing.T, method, url, host string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = host
	r.Header.Set("Fastly-Key", rootToken)
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer
}

// TestASecondDisk has a cluster of two whose answers mean two disks, then takes one
// away: what is answered then stands, and says that nobody else has it.
func TestASecondDisk(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 2)
	for _, o := range g.nodes {
		o.stop()
		o.extra = "  durable_on: 2\n"
	}
	for _, o := range g.nodes {
		o.start()
	}
	g.settle(2)
	n1 := g.nodes[0]
	check := func(status int, confirmed, missing string) {
		t.Helper()
		site, all := "http://"+n1.app.Addrs()[0].String()+"/", "http://"+n1.app.AdminAddr().String()+"/service/shop/purge_all"
		began := time.Now()
		for _, answer := range []*http.Response{n1.send(t, "PURGE", site, "shop.example"), n1.send(t, "POST", all, "")} {
			if answer.StatusCode != 200 || answer.Header.Get("Rescind-Confirmed") != confirmed || answer.Header.Get("Rescind-Missing") != missing {
				t.Errorf("%s %s: %d %v", answer.Request.Method, answer.Request.URL, answer.StatusCode, answer.Header)
			}
		}
		r, err := n1.admin.Purge(t.Context(), purgeK)
		if err != nil {
			t.Fatal(err)
		}
		reached := status == 200
		if r.Confirmations == nil || r.Confirmations.Reached(api.WaitPeer) != reached || strings.Join(r.Confirmations.Missing, ", ") != strings.TrimPrefix(missing, "a second member") {
			t.Errorf("%+v", r.Confirmations)
		}
		if took := time.Since(began); missing == "n2" && took < 3*time.Second {
			t.Errorf("three purges were answered after %v", took)
		}
	}
	check(200, "peer", "")
	if status, text := n1.readyz(t); status != 200 {
		t.Errorf("readiness: %d %s", status, text)
	}

	n1.stop() // from now on it is not to wait for long
	n1.extra += "  wait_at_most: 1s\n"
	n1.start()
	g.settle(2)
	g.nodes[1].stop()
	check(202, "", "n2")
	if status, text := n1.readyz(t); status != 200 {
		t.Errorf("readiness while the second disk is down: %d %s", status, text)
	}
	made, err := n1.admin.CreateToken(t.Context(), api.NewToken{Name: "ci", Scopes: []api.Scope{api.ScopeGlobal}})
	if err != nil || made.Value == "" {
		t.Errorf("%+v, %v", made, err)
	}

	within(t, "n2 can be forgotten", func() bool { return n1.admin.Forget(t.Context(), "n2") == nil })
	check(202, "", "a second member")
	if status, text := n1.readyz(t); status != 503 || !strings.Contains(text, "this node is the only member") {
		t.Errorf("readiness of a node without a second disk: %d %s", status, text)
	}
}

// readyz returns what a load balancer is told.
func (o *one) readyz(t *testing.T) (status int, text string) {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+o.app.AdminAddr().String()+"/readyz", nil)
	r.Close = true
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

// TestAMemberWithoutADirectoryIsNoDisk has two members answer for two disks of which
// there is one; then the other gets one.
func TestAMemberWithoutADirectoryIsNoDisk(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := newGroup(t, 2)
	n1, n2 := g.nodes[0], g.nodes[1]
	n1.extra, n2.ram = "  durable_on: 2\n  wait_at_most: 20s\n", true
	n1.start()
	n2.start()
	g.settle(2)
	site := "http://" + n1.app.Addrs()[0].String() + "/"
	within(t, "readiness says that a disk is missing", func() bool {
		status, text := n1.readyz(t)
		return status == 503 && strings.Contains(text, "no other member has a disk") && strings.Contains(text, "n2")
	})
	if status, text := n2.readyz(t); status != 200 {
		t.Errorf("the other one, which asks for one disk: %d %s", status, text)
	}
	c, err := n1.admin.Members(t.Context())
	if err != nil || !*c.Members[0].Disk || *c.Members[1].Disk || !strings.Contains(c.Reason, "data_dir") {
		t.Errorf("%+v, %v", c, err)
	}
	began := time.Now()
	if a := n1.send(t, "PURGE", site, "shop.example"); a.StatusCode != 200 || a.Header.Get("Rescind-Missing") != "a second disk" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("answered after %v: there was nothing to wait for", took)
	}
	for _, level := range []api.WaitLevel{api.WaitPeer, api.WaitAll} {
		r, err := n1.admin.PurgeAndWait(t.Context(), purgeK, level, 0)
		if err != nil || r.Confirmations.Reached(api.WaitPeer) || level == api.WaitAll && !r.Confirmations.Reached(level) {
			t.Errorf("waited for %s: %+v, %v", level, r.Confirmations, err)
		}
	}

	n2.stop()
	n2.ram = false
	n2.start()
	g.settle(2)
	within(t, "both are ready", func() bool { status, _ := n1.readyz(t); return status == 200 })
	if a := n1.send(t, "PURGE", site, "shop.example"); a.StatusCode != 200 || a.Header.Get("Rescind-Confirmed") != "peer" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
}
