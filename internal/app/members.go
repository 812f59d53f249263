package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rescind-edge/rescind/api"
	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/dialect/native"
	"github.com/rescind-edge/rescind/internal/journal"
	"github.com/rescind-edge/rescind/internal/proxy"
)

// members is the cluster as control sees it.
type members struct{ *App }

// errLeft is returned for what would be issued by a node that has left: nobody
// would hear of it.
var errLeft = errors.New("this node has left the cluster; ask another one")

// Admit implements control.Cluster.
func (m members) Admit() error {
	if m.leaving.Load() {
		return fmt.Errorf("%w: %w", control.ErrUnavailable, errLeft)
	}
	return m.cluster.Admit()
}

// Publish implements control.Cluster.
func (m members) Publish(entries []journal.Entry) { m.cluster.Publish(entries) }

// Wait implements control.Cluster.
func (m members) Wait(ctx context.Context, id journal.ID, level control.Level) ([]string, error) {
	return m.cluster.WaitFor(ctx, id, map[control.Level]cluster.Level{
		control.WaitPeer: cluster.WaitPeer, control.WaitPOP: cluster.WaitPOP, control.WaitAll: cluster.WaitAll,
	}[level])
}

// Progress implements control.Cluster.
func (m members) Progress(id journal.ID) control.Progress {
	p := m.cluster.Progress(id)
	out := control.Progress{Partial: !p.Remembered}
	for _, c := range p.Members {
		out.Members = append(out.Members, control.Confirmation{
			Member: c.Member.Name, POP: c.Member.POP, Applied: c.Applied, Took: c.Took, InForce: c.InForce, Disk: c.Member.Disk,
		})
	}
	return out
}

// roster is the cluster as the native API shows and changes it.
type roster struct{ *App }

// recordTimeout bounds how long a change of the roster may take until other
// members have it.
const recordTimeout = 15 * time.Second

// Members implements native.Cluster.
func (r roster) Members() (api.Cluster, error) {
	if r.cluster == nil {
		return api.Cluster{}, native.ErrNoCluster
	}
	out := api.Cluster{ClusterStatus: r.clusterStatus(), Members: []api.Member{}}
	for _, m := range r.cluster.Members() {
		out.Members = append(out.Members, memberOf(m))
	}
	return out, nil
}

func memberOf(m cluster.Member) api.Member {
	out := api.Member{
		Name: m.Name, POP: m.POP, State: api.MemberState(m.State.String()), Version: m.Version, Roles: m.Roles,
		Isolation: m.Policy.String(), Behind: m.Behind, Disk: &m.Disk,
	}
	if m.Addr.IsValid() {
		out.Address = m.Addr.String()
	}
	if m.RTT > 0 {
		out.RTT = duration(m.RTT)
	}
	if m.State != cluster.MemberSelf && m.Heard >= 0 {
		out.Heard = duration(m.Heard.Round(time.Millisecond))
	}
	return out
}

// Forget implements native.Cluster.
func (r roster) Forget(ctx context.Context, name string) error {
	if r.cluster == nil {
		return native.ErrNoCluster
	}
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	switch err := r.cluster.Forget(ctx, name); {
	case errors.Is(err, cluster.ErrAlive):
		return fmt.Errorf("%w: %s", native.ErrMemberAlive, name)
	case errors.Is(err, cluster.ErrUnknownMember):
		return fmt.Errorf("%w: %s", native.ErrUnknownMember, name)
	case err != nil:
		return fmt.Errorf("%w: %w", native.ErrNotRecorded, err)
	}
	r.log.Info("a member was forgotten", "member", name)
	return nil
}

// Leave implements native.Cluster. What is stored is not served from its
// beginning on: purges of others need not reach a node that is no member.
func (r roster) Leave(ctx context.Context) (api.ClusterStatus, error) {
	if r.cluster == nil {
		return api.ClusterStatus{}, native.ErrNoCluster
	}
	r.leaving.Store(true)
	ctx, cancel := context.WithTimeout(ctx, recordTimeout)
	defer cancel()
	if err := r.cluster.Leave(ctx); err != nil {
		return api.ClusterStatus{}, fmt.Errorf("%w: %w", native.ErrNotRecorded, err)
	}
	r.log.Info("this node has left the cluster; it can be stopped")
	return r.clusterStatus(), nil
}

// clusterStatus says how this node stands to its cluster.
func (a *App) clusterStatus() api.ClusterStatus {
	h := a.cluster.Health()
	st := api.ClusterStatus{
		Role: api.MemberRole(a.began.Cluster.Role), State: api.ClusterState(h.Readiness.String()), Stored: storedUses[a.trusts()],
		Isolated: h.Isolated, Since: api.Duration(h.Since.Round(time.Millisecond)),
		Heard: h.Fresh, Majority: h.Majority, Roster: h.Roster,
	}
	switch {
	case h.Refused != nil:
		st.Reason = h.Refused.Error()
	case h.Alone != nil:
		st.Reason = h.Alone.Error()
	default:
		if err := a.fewDisks(); err != nil {
			st.Reason = err.Error()
		}
	}
	return st
}

var storedUses = map[proxy.Trust]api.StoredUse{
	proxy.TrustStored: api.StoredServed, proxy.TrustOrigin: api.StoredRevalidated, proxy.TrustNobody: api.StoredRefused,
}

// earlier returns the incarnations of this node's earlier starts that it has
// receipts of, newest first: members are asked what they have of those.
func (a *App) earlier() (list []journal.Incarnation) {
	const most = 15 // that the cluster takes
	reader, err := a.control.Reader(control.Credentials{Local: true})
	if err != nil {
		return nil // only a token could be wrong
	}
	now, _ := a.journal.Own()
	seen := map[journal.Incarnation]bool{now: true}
	for _, r := range reader.Recent(maxRemembered) {
		if inc := r.Entry.Incarnation; r.Node == a.began.Node.Name && r.Entry.Seq > 0 && !seen[inc] && len(list) < most {
			seen[inc] = true
			list = append(list, inc)
		}
	}
	return list
}

// maxRemembered is above the number of receipts that are kept.
const maxRemembered = 1 << 20
