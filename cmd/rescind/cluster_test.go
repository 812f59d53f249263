package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
)

// slowCluster is a node whose purges members confirm one after the other, one
// with each look at a receipt, up to some.
type slowCluster struct {
	*httptest.Server
	confirm int // how many of the three ever do
	looks   int
	asked   []string
}

func startSlowCluster(t *testing.T, confirm int) *slowCluster {
	c := &slowCluster{confirm: confirm}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *slowCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.asked = append(c.asked, r.Method+" "+r.RequestURI)
	receipt := api.Receipt{ID: "01M7", Service: "shop", Node: "fra1-a", Mode: api.Hard, Selectors: []api.Selector{{Kind: api.ByKey, Value: "k"}}}
	took := func(d time.Duration) *api.Duration { out := api.Duration(d); return &out }
	if r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, api.PathPurges+"/") {
		confirmations := &api.Confirmations{Confirmed: []api.WaitLevel{}, Members: []api.Confirmation{
			{Member: "fra1-a", POP: "fra1", Took: took(time.Millisecond)}, {Member: "ams1-a", POP: "ams1", AppliedIn: took(9 * time.Millisecond), Took: took(31 * time.Millisecond)},
			{Member: "sin1-a", POP: "sin1", Took: took(160 * time.Millisecond)},
		}}
		c.looks++
		for i := range confirmations.Members {
			m := &confirmations.Members[i]
			if m.Applied = i < min(c.looks, c.confirm); m.Applied {
				confirmations.Applied++
				confirmations.Slowest = m.Member
				continue
			}
			m.AppliedIn, m.Took = nil, nil
			confirmations.Missing = append(confirmations.Missing, m.Member)
		}
		if confirmations.Applied >= 2 {
			confirmations.Confirmed = append(confirmations.Confirmed, api.WaitPeer, api.WaitPOP)
		}
		if confirmations.Applied == 3 {
			confirmations.Confirmed = append(confirmations.Confirmed, api.WaitAll)
		}
		receipt.Confirmations = confirmations
	}
	json.NewEncoder(w).Encode(receipt)
}

func TestPurgeShowsEachMemberAsItConfirms(t *testing.T) {
	c := startSlowCluster(t, 3)
	got := execute(t, nil, "", "purge", "--address", c.URL, "--key", "k", "--wait", "all")
	if got.code != exitOK || got.err != "" || c.looks != 3 {
		t.Errorf("%+v after %d looks", got, c.looks)
	}
	_, lines, _ := strings.Cut(got.out, "\n\n")
	const want = `fra1             fra1-a       applied after 1ms
ams1             ams1-a       applied after 9ms, on disk after 31ms
sin1             sin1-a       applied after 160ms
3 of 3 members, slowest sin1-a
`
	if lines != want {
		t.Errorf("printed\n%s\nwant\n%s", lines, want)
	}
}

func TestPurgeWaitsForNoMoreThanAsked(t *testing.T) {
	c := startSlowCluster(t, 2)
	if got := execute(t, nil, "", "purge", "--address", c.URL, "--key", "k", "--wait", "peer"); got.code != exitOK || c.looks != 2 {
		t.Errorf("%+v after %d looks", got, c.looks)
	}
}

func TestPurgeNamesWhoIsMissing(t *testing.T) {
	// inTime purges with longer and longer times until one was enough, on a busy
	// machine, for as many looks.
	inTime := func(c *slowCluster, looks int, more ...string) (got result) {
		for timeout := 100 * time.Millisecond; timeout < time.Minute; timeout *= 2 {
			c.looks = 0
			args := []string{"purge", "--address", c.URL, "--key", "k", "--wait", "all", "--timeout", timeout.String()}
			if got = execute(t, nil, "", append(args, more...)...); c.looks >= looks {
				return got
			}
		}
		return got
	}
	got := inTime(startSlowCluster(t, 2), 3)
	if got.code != exitAbsent || !strings.Contains(got.err, "by sin1-a;") || !strings.Contains(got.err, "rescind purges show 01M7") || !strings.Contains(got.out, "2 of 3 members") {
		t.Errorf("%+v", got)
	}
	got = inTime(startSlowCluster(t, 2), 3, "--json")
	var r api.Receipt
	if err := json.Unmarshal([]byte(got.out), &r); err != nil || got.code != exitAbsent || len(r.Confirmations.Missing) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A node that waits by itself for a second disk says when there is none.
func TestPurgeWithoutASecondDisk(t *testing.T) {
	for confirmations, code := range map[string]int{
		`{"members":[],"applied":2,"confirmed":["peer"],"missing":["sin1"]}`: exitOK,
		`{"members":[],"applied":1,"confirmed":[],"missing":["ams1"]}`:       exitAbsent,
		`{"members":[],"applied":1,"confirmed":["all"]}`:                     exitAbsent,
	} {
		s := answering(t, map[string]string{"POST /v1/purges": `{"id":"01M7","service":"shop","confirmations":` + confirmations + `}`})
		got := execute(t, nil, "", "purge", "--address", s.URL, "--key", "k")
		if got.code != code || !strings.Contains(got.out, "01M7") || code != exitOK && !strings.Contains(got.err, "no second member has it") ||
			strings.Contains(got.err, "ams1") != strings.Contains(confirmations, "ams1") {
			t.Errorf("%s: %+v", confirmations, got)
		}
	}
}

func TestPurgesShow(t *testing.T) {
	c := startSlowCluster(t, 1)
	for _, args := range [][]string{{"purges", "show", "01M7"}, {"purges", "01M7"}} {
		got := execute(t, nil, "", append(args, "--address", c.URL)...)
		if got.code != exitOK || !strings.Contains(got.out, "ams1-a       not yet") || !strings.Contains(got.out, "1 of 3 members") {
			t.Errorf("%v: %+v", args, got)
		}
	}
}

func TestWaitFlags(t *testing.T) {
	for _, args := range []string{"--wait everybody", "--timeout 5s", "--wait all --timeout 0s"} {
		got := execute(t, nil, "", append([]string{"purge", "--key", "k"}, strings.Fields(args)...)...)
		if got.code != exitUsage {
			t.Errorf("%s: %+v", args, got)
		}
	}
}

// answering answers each path with a JSON text.
func answering(t *testing.T, answers map[string]string) *httptest.Server {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.Method+" "+r.URL.Path]
		if !ok {
			t.Errorf("asked %s %s", r.Method, r.URL.Path)
		}
		if answer == "" {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		w.Write([]byte(answer))
	}))
	t.Cleanup(s.Close)
	return s
}

func TestClusterCommands(t *testing.T) {
	s := answering(t, map[string]string{
		"GET /v1/cluster/members": `{"role":"node","state":"ready","stored":"served","isolated":true,"since":"90s","heard":1,"majority":2,"roster":2,"members":[
			{"name":"ams1-a","pop":"ams1","state":"absent","heard":"1m31.26s","behind":12,"isolation":"serve","disk":false,"address":"10.0.0.2:7946"},
			{"name":"fra1-a","pop":"fra1","state":"self","version":"1.2","roles":["witness"],"behind":0}]}`,
		"GET /v1/cluster/keys": `{"step":"uneven","next":"add b to ams1-a","members":[
			{"member":"ams1-a","pop":"ams1","error":"it does not answer"},{"member":"fra1-a","pop":"fra1","keys":["aa","bb"]}]}`,
		"DELETE /v1/cluster/members/ams1-a": "",
		"POST /v1/cluster/leave":            `{"role":"node","state":"leaving","stored":"revalidated","heard":2,"majority":2,"roster":2}`,
	})
	for args, wants := range map[string][]string{
		"members":              {"ISOLATED for 1m30s, ready: hears 1 of 2 members, needs 2", "1m31.3s ago  12      serve     no    10.0.0.2:7946", "self, witness"},
		"rotate-key":           {"? (it does not answer)", "aa", "bb", "next: add b to ams1-a"},
		"forget ams1-a":        {"ams1-a is forgotten"},
		"forget ams1-a --json": {`"forgotten": "ams1-a"`},
		"leave":                {"has left the cluster"},
	} {
		got := execute(t, nil, "", append(append([]string{"cluster"}, strings.Fields(args)...), "--address", s.URL)...)
		if got.code != exitOK {
			t.Errorf("%s: %+v", args, got)
		}
		for _, want := range wants {
			if !strings.Contains(got.out, want) {
				t.Errorf("%s printed\n%s\nwithout %q", args, got.out, want)
			}
		}
	}
}
