package dialecttest

import (
	"context"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/journal"
)

// Others stand for the other members of a Node's cluster: ams1 and sin1, which
// confirm at once. It is a control.Cluster; set it between requests.
type Others struct {
	Missing []string // members that never confirm
	Refuses error    // from Admit
	Full    error    // from Wait
	Unknown bool     // it is not known who they are
	AnyOne  bool     // one of two that confirms is a peer; else all that are missing are waited for, whatever the level
	None    bool     // there are no other members
	NoDisk  bool     // they confirm, and have no disk
	Asked   control.Level
	All     []control.Level // that were asked, in order
}

var others = [...]string{"ams1", "sin1"}

// Admit implements control.Cluster.
func (o *Others) Admit() error { return o.Refuses }

// Publish implements control.Cluster.
func (o *Others) Publish([]journal.Entry) {}

// Wait implements control.Cluster. It waits for members that never confirm until
// the context ends.
func (o *Others) Wait(ctx context.Context, _ journal.ID, level control.Level) ([]string, error) {
	o.Asked, o.All = level, append(o.All, level)
	if o.Full != nil {
		return nil, o.Full
	}
	if o.NoDisk && level == control.WaitPeer {
		return others[:], nil
	}
	if o.None || o.AnyOne && level == control.WaitPeer && len(o.Missing) < len(others) {
		return nil, nil
	}
	if len(o.Missing) > 0 {
		<-ctx.Done()
	}
	return o.Missing, nil
}

// Progress implements control.Cluster.
func (o *Others) Progress(journal.ID) control.Progress {
	var p control.Progress
	if o.Unknown || o.None {
		return p
	}
	for _, name := range others {
		m := control.Confirmation{Member: name, POP: name, Applied: true, Disk: !o.NoDisk, Took: 1, InForce: 1}
		for _, missing := range o.Missing {
			if name == missing {
				m.Applied, m.Took, m.InForce = false, -1, -1
			}
		}
		p.Members = append(p.Members, m)
	}
	return p
}
