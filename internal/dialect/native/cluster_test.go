package native

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
)

// members is a cluster of n1 and ams1, and of one that is gone.
type members struct {
	all     error // from Members and Keys
	leaving error
}

var standing = api.ClusterStatus{
	Role: api.RoleNode, State: api.StateReady, Stored: api.StoredServed, Heard: 2, Majority: 2, Roster: 3,
}

func (m members) Members() (api.Cluster, error) {
	rtt := api.Duration(1e6)
	return api.Cluster{ClusterStatus: standing, Members: []api.Member{
		{Name: "ams1", POP: "ams1", State: api.MemberAlive, Address: "10.0.0.2:7946", Version: "1", RTT: &rtt, Heard: &rtt, Isolation: "serve"},
		{Name: "gone", POP: "gone", State: api.MemberAbsent, Behind: 7},
		{Name: "n1", POP: "p1", State: api.MemberSelf, Roles: []string{"node"}},
	}}, m.all
}

func (m members) Keys(context.Context) (api.ClusterKeys, error) {
	return api.ClusterKeys{Step: api.KeysUnknown, Next: "wait", Members: []api.MemberKeys{
		{Member: "gone", POP: "gone", Error: "it does not answer"}, {Member: "n1", POP: "p1", Keys: []string{"0a1b2c3d"}},
	}}, m.all
}

func (m members) Forget(_ context.Context, name string) error {
	switch name {
	case "gone":
		return nil
	case "ams1":
		return fmt.Errorf("%w: ams1", ErrMemberAlive)
	case "stuck":
		return ErrNotRecorded
	}
	return fmt.Errorf("%w: %s", ErrUnknownMember, name)
}

func (m members) Leave(context.Context) (api.ClusterStatus, error) {
	left := standing
	left.State, left.Stored = api.StateLeaving, api.StoredRevalidated
	return left, m.leaving
}

func confirmations(_ context.Context, r control.Receipt) *api.Confirmations {
	took := api.Duration(20e6)
	return &api.Confirmations{
		Applied: 2, Confirmed: []api.WaitLevel{api.WaitPeer, api.WaitPOP}, Missing: []string{"sin1"}, Slowest: "ams1", Partial: true,
		Members: []api.Confirmation{
			{Member: r.Node, POP: "p1", Applied: true}, {Member: "ams1", POP: "ams1", Applied: true, Took: &took}, {Member: "sin1", POP: "sin1"},
		},
	}
}

func TestPurgeThatWaits(t *testing.T) {
	n := dialecttest.New(t)
	h := everything(n)
	const body = `{"service":"shop","keys":["k"]}`
	plain := decode[api.Receipt](t, dialecttest.Send(t, h, recorded("POST /v1/purges", dialecttest.Root, body)))
	if plain.Confirmations != nil || plain.Node != "n1" {
		t.Errorf("nobody waited: %+v", plain)
	}
	got := dialecttest.Send(t, h, recorded("POST /v1/purges?wait=pop", dialecttest.Root, body))
	if got.Status != http.StatusOK || got.Header.Get(api.HeaderConfirmed) != "pop" || decode[api.Receipt](t, got).Confirmations == nil {
		t.Errorf("%d %v %s", got.Status, got.Header, got.Body)
	}
	n.Others.Missing = []string{"sin1"}
	got = dialecttest.Send(t, h, recorded("POST /v1/purges?wait=all&timeout=1ms", dialecttest.Root, body))
	late := decode[api.Receipt](t, got)
	if got.Status != http.StatusAccepted || got.Header.Get(api.HeaderMissing) != "sin1" || got.Header.Get("Location") != api.PathPurges+"/"+late.ID {
		t.Errorf("%d %v %s", got.Status, got.Header, got.Body)
	}
	if late.Confirmations == nil || !slices.Equal(late.Confirmations.Missing, []string{"sin1"}) {
		t.Errorf("who is missing is not said: %+v", late.Confirmations)
	}
	seen := decode[api.Receipt](t, dialecttest.Send(t, h, recorded("GET /v1/purges/"+late.ID, dialecttest.Watcher, "")))
	if seen.Confirmations == nil || !seen.Confirmations.Reached(api.WaitPOP) || seen.Confirmations.Reached(api.WaitAll) {
		t.Errorf("%+v", seen.Confirmations)
	}
}

// A purge that is asked for wrongly is not carried out.
func TestBadWaitPurgesNothing(t *testing.T) {
	n := dialecttest.New(t)
	before := n.Control.Stats().Purges
	for _, query := range []string{"wait=everyone", "wait=all&timeout=soon", "wait=all&timeout=-1s"} {
		got := dialecttest.Send(t, everything(n), recorded("POST /v1/purges?"+query, dialecttest.Root, `{"service":"shop","all":true}`))
		if got.Status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, got.Status, got.Body)
		}
	}
	if n.Control.Stats().Purges != before {
		t.Error("something was purged")
	}
}
