package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/api"
)

func TestPurgeReachesAllAndSaysSo(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 3)
	for _, o := range g.nodes {
		o.get(t)
		if got := o.get(t); got != "HIT" {
			t.Fatalf("%s: %s", o.name(), got)
		}
	}
	r, err := g.nodes[0].admin.PurgeAndWait(t.Context(), purgeK, api.WaitAll, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range g.nodes {
		if got := o.get(t); got != "MISS" {
			t.Errorf("%s still answers %s", o.name(), got)
		}
	}
	c := r.Confirmations
	if c == nil || !c.Reached(api.WaitAll) || c.Applied != 3 || c.Partial || len(c.Missing) > 0 || r.Node != "n1" {
		t.Fatalf("%+v", c)
	}
	for i, m := range c.Members {
		if want := fmt.Sprintf("n%d", i+1); m.Member != want || m.POP != fmt.Sprintf("pop%d", i+1) || !m.Applied || m.Took == nil || m.AppliedIn == nil && i == 0 {
			t.Errorf("%+v", m)
		} else if m.AppliedIn != nil && *m.AppliedIn > *m.Took { // nil: an acknowledgement was lost, and asked for
			t.Errorf("%s had it on disk after %v, and in force after %v", m.Member, *m.Took, *m.AppliedIn)
		}
	}
	// Another node knows the purge, and asks the one that accepted it.
	var seen *api.Receipt
	within(t, "n1 says what it knows", func() bool {
		var err error
		seen, err = g.nodes[2].admin.Receipt(t.Context(), r.ID)
		return err == nil && seen.Confirmations != nil && !seen.Confirmations.Partial
	})
	if seen.Node != "n1" || seen.AppliedIn != 0 {
		t.Fatalf("%+v", seen)
	}
	if *member(seen.Confirmations, "n2").Took != *member(c, "n2").Took || !seen.Confirmations.Reached(api.WaitAll) {
		t.Errorf("n3 says %+v", seen.Confirmations)
	}
	within(t, "metrics show it", func() bool { // on a busy machine, members may seem away for a moment
		text := g.nodes[0].metrics(t)
		return strings.Contains(text, `rescind_cluster_propagation_seconds_count{pop="pop2"} 1`) &&
			strings.Contains(text, `rescind_cluster_members{state="alive"} 2`) && strings.Contains(text, "rescind_cluster_isolated 0")
	})
	list, err := g.nodes[1].admin.Receipts(t.Context(), 10)
	if err != nil || len(list) != 1 || list[0].ID != r.ID || list[0].Node != "n1" {
		t.Errorf("n2 lists %+v, %v", list, err)
	}
}

func TestPurgeNamesWhoIsMissing(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 3)
	g.nodes[2].get(t)
	g.nodes[2].stop()
	began := time.Now()
	r, err := g.nodes[0].admin.PurgeAndWait(t.Context(), purgeK, api.WaitAll, 300*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if c := r.Confirmations; c == nil || c.Reached(api.WaitAll) || !slices.Contains(c.Missing, "n3") || member(c, "n3").Applied {
		t.Errorf("%+v", c)
	}
	if took := time.Since(began); took < 300*time.Millisecond {
		t.Errorf("it waited for %v", took)
	}
	within(t, "n3 alone is missing", func() bool { // n2 may take longer than was waited
		r, err := g.nodes[0].admin.Receipt(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		c, n2 := r.Confirmations, member(r.Confirmations, "n2")
		return c.Reached(api.WaitPeer) && c.Reached(api.WaitPOP) && slices.Equal(c.Missing, []string{"n3"}) && n2.Applied && n2.Took != nil
	})

	// It comes back, and has what it missed before it serves.
	g.nodes[2].start()
	within(t, "n3 has confirmed", func() bool {
		now, err := g.nodes[0].admin.Receipt(t.Context(), r.ID)
		return err == nil && now.Confirmations.Reached(api.WaitAll) && member(now.Confirmations, "n3").Applied
	})

	// The node that accepted it is gone: every member says for itself. Started
	// again, it finds out anew.
	g.nodes[0].stop()
	within(t, "the others notice", func() bool {
		gathered, err := g.nodes[1].admin.Receipt(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		c := gathered.Confirmations
		return c != nil && c.Partial && c.Applied == 2 && slices.Equal(c.Missing, []string{"n1"}) && member(c, "n3").Applied
	})
	g.nodes[0].start()
	within(t, "n1 finds out who has it", func() bool {
		again, err := g.nodes[0].admin.Receipt(t.Context(), r.ID)
		return err == nil && again.Confirmations.Partial && again.Confirmations.Applied == 3
	})
}

func TestTokensAreGoodAndDeadEverywhere(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 3)
	tok, err := g.nodes[1].admin.CreateToken(t.Context(), api.NewToken{Name: "ci", Scopes: []api.Scope{api.ScopeGlobal}})
	if err != nil {
		t.Fatal(err)
	}
	works := func(o *one) bool {
		_, err := o.client(tok.Value).Tokens(t.Context())
		return err == nil
	}
	for _, o := range g.nodes {
		within(t, "the token works on "+o.name(), func() bool { return works(o) })
	}
	if err := g.nodes[2].admin.RevokeToken(t.Context(), tok.ID); err != nil {
		t.Fatal(err)
	}
	for _, o := range g.nodes {
		within(t, "the token is dead on "+o.name(), func() bool { return !works(o) })
	}
}

// A member that will not come back is waited for until it is forgotten.
func TestForget(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 3)
	ctx := t.Context()
	var p *api.Problem
	if err := g.nodes[0].admin.Forget(ctx, "n2"); !errors.As(err, &p) || p.Status != http.StatusConflict {
		t.Errorf("a member that is alive was forgotten: %v", err)
	}
	if err := g.nodes[0].admin.Forget(ctx, "nobody"); !errors.As(err, &p) || p.Status != http.StatusNotFound {
		t.Errorf("forgot nobody: %v", err)
	}
	for _, o := range g.nodes {
		o.stop()
	}
	g.nodes[0].start()
	members, err := g.nodes[0].admin.Members(ctx)
	if err != nil || members.Roster != 3 || members.State != api.StateJoining || members.Members[1].State != api.MemberAbsent {
		t.Errorf("%+v, %v", members, err)
	}
	if err := g.nodes[0].app.ready(); err == nil {
		t.Error("ready without a majority")
	}
	g.nodes[1].start()
	g.settle(3)
	if err := g.nodes[0].app.ready(); err != nil {
		t.Error(err)
	}
	waits := func() []string {
		r, err := g.nodes[0].admin.PurgeAndWait(ctx, purgeK, api.WaitAll, 100*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		return r.Confirmations.Missing
	}
	if got := waits(); !slices.Contains(got, "n3") {
		t.Errorf("it waits for %v", got)
	}
	if err := g.nodes[0].admin.Forget(ctx, "n3"); err != nil {
		t.Fatal(err)
	}
	g.settle(2)
	within(t, "nobody is missing", func() bool { return len(waits()) == 0 })
}

func TestLeave(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 2)
	ctx := t.Context()
	status, err := g.nodes[1].admin.Leave(ctx)
	if err != nil || status.State != api.StateLeaving || status.Stored != api.StoredRevalidated {
		t.Fatalf("%+v, %v", status, err)
	}
	if err := g.nodes[1].app.ready(); err == nil {
		t.Error("a node that left is ready")
	}
	var p *api.Problem
	if _, err := g.nodes[1].admin.Purge(ctx, purgeK); !errors.As(err, &p) || p.Status != http.StatusServiceUnavailable {
		t.Errorf("a node that left takes purges: %v", err)
	}
	g.nodes[1].stop()
	within(t, "n1 does not wait for it", func() bool {
		r, err := g.nodes[0].admin.Purge(ctx, purgeK)
		if err != nil {
			t.Fatal(err)
		}
		r, err = g.nodes[0].admin.Receipt(ctx, r.ID)
		return err == nil && r.Confirmations.Reached(api.WaitAll)
	})

	// Started again, it is a member like any other.
	g.nodes[1].start()
	g.settle(2)
}

func TestKeyRotation(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 2)
	step := func(want api.KeyStep) {
		t.Helper()
		within(t, "the step is "+string(want), func() bool {
			k, err := g.nodes[0].admin.Keys(t.Context())
			return err == nil && k.Step == want && k.Next != ""
		})
	}
	reload := func(o *one, secret string) {
		t.Helper()
		o.secret = secret
		o.write()
		if err := o.app.Reload(); err != nil {
			t.Fatal(err)
		}
	}
	const one, two = `"0123456789abcdef-one"`, `"0123456789abcdef-two"`
	step(api.KeysOne)
	for i, secret := range []string{"[" + one + ", " + two + "]", "[" + two + ", " + one + "]", "[" + two + "]"} {
		reload(g.nodes[0], secret)
		step([]api.KeyStep{api.KeysUneven, api.KeysTurning, api.KeysUneven}[i])
		reload(g.nodes[1], secret)
		step([]api.KeyStep{api.KeysBoth, api.KeysBoth, api.KeysOne}[i])
		r, err := g.nodes[1].admin.PurgeAndWait(t.Context(), purgeK, api.WaitAll, 20*time.Second)
		if err != nil || !r.Confirmations.Reached(api.WaitAll) {
			t.Errorf("after step %d: %+v, %v", i+1, r, err)
		}
	}
}

func TestStatusAndExplanationShowTheCluster(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 2)
	o := g.nodes[0]
	o.get(t)
	st, err := o.admin.Status(t.Context())
	if err != nil || st.Cluster == nil || st.Cluster.State != api.StateReady || st.Cluster.Stored != api.StoredServed || st.Cluster.Roster != 2 {
		t.Errorf("%+v, %v", st.Cluster, err)
	}
	if err := o.app.ready(); err != nil {
		t.Error(err)
	}
	before, err := o.admin.Explain(t.Context(), "http://shop.example/page")
	if err != nil || before.Outcome != api.WouldHit {
		t.Fatalf("%+v, %v", before, err)
	}
	if _, err := o.admin.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	after, err := o.admin.Explain(t.Context(), "http://shop.example/page")
	if err != nil || after.Outcome != api.WouldRevalidate || after.Cached || len(after.Hints) == 0 || after.Hints[0].Code != api.HintCluster {
		data, _ := json.Marshal(after)
		t.Errorf("%s, %v", data, err)
	}
	if got := o.get(t); got == "HIT" {
		t.Error("it is served without asking the origin")
	}
}

// A client that leaves ends its own waiting and nothing else.
func TestClientThatLeaves(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 2)
	g.nodes[1].stop()
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	answered := make(chan error, 1)
	go func() {
		_, err := g.nodes[0].admin.PurgeAndWait(ctx, purgeK, api.WaitAll, 30*time.Second)
		answered <- err
	}()
	accepted := func() bool {
		list, err := g.nodes[0].admin.Receipts(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1
	}
	within(t, "the purge is accepted", accepted)
	leave()
	if err := <-answered; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if !accepted() {
		t.Error("the purge is not there any more")
	}
}

// With a witness, one of two nodes can be lost and the other hears a majority.
func TestWitness(t *testing.T) {
	t.Parallel() // most of it is waiting
	g := startGroup(t, 3)
	w := g.nodes[2]
	w.stop()
	w.role = "witness"
	w.start()
	g.settle(3)
	if err := w.app.ready(); err != nil || len(w.app.Addrs()) != 0 {
		t.Errorf("it listens at %v: %v", w.app.Addrs(), err)
	}
	st, err := w.admin.Status(t.Context())
	if err != nil || st.Cluster == nil || st.Cluster.Role != api.RoleWitness || len(st.Services) != 0 {
		t.Errorf("%+v, %v", st, err)
	}
	if err := w.app.Reload(); err != nil {
		t.Error(err)
	}
	r, err := g.nodes[0].admin.PurgeAndWait(t.Context(), purgeK, api.WaitAll, 20*time.Second)
	if err != nil || !member(r.Confirmations, "n3").Applied {
		t.Errorf("%+v, %v", r, err)
	}
	if seen, err := w.admin.Receipt(t.Context(), r.ID); err != nil || seen.Node != "n1" {
		t.Errorf("the witness has no receipt: %+v, %v", seen, err)
	}

	for _, o := range g.nodes {
		o.stop()
	}
	w.start()
	g.nodes[1].start()
	g.settle(3)
	if err := g.nodes[1].app.ready(); err != nil {
		t.Errorf("n2 and the witness are a majority: %v", err)
	}
}
