package cluster

import (
	"errors"

	"github.com/rescind-edge/rescind/internal/journal"
)

// ErrFull is returned by Admit.
var ErrFull = errors.New("too many entries wait to be sent to other members; retry in a second")

// Admit returns ErrFull while so much waits to be sent that the front door
// should refuse more. It is to be asked before an entry is issued.
func (c *Cluster) Admit() error {
	c.core.Lock()
	defer c.core.Unlock()
	if c.core.Full() {
		return ErrFull
	}
	return nil
}

// Publish sends entries that this node has issued, in order, to all members. It
// waits for none, nor for the entries to be durable. What cannot be sent now
// reaches the others by comparison.
func (c *Cluster) Publish(entries []journal.Entry) {
	if len(entries) == 0 {
		return
	}
	told := c.knowsRoster() // before the roster is read, so that it is in it
	at, roster := c.cfg.Clock(), c.expected()
	c.proof.Lock()
	for i := range entries {
		c.proof.own[entries[i].Incarnation] = true
		c.proof.Issued(at, entries[i].ID, roster)
		if !told {
			c.proof.Early(entries[i].ID)
		}
	}
	c.proof.Unlock()
	c.core.Lock()
	c.core.Publish(c.now(), entries)
	actions := c.takeLocked()
	c.core.Unlock()
	c.perform(actions)
}
