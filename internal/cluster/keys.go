package cluster

import (
	"bytes"
	"fmt"

	"github.com/rescind-edge/rescind/internal/cluster/seal"
)

// RotateKeys uses other secrets from now on, the primary first. To change the
// secret of a running cluster, add the new one behind the old on all members,
// then put it first on all, then take the old one away on all. Open streams go
// on under the key that they were opened with, and end within minutes; packets
// and new streams change at once. The error wraps seal.ErrSecret; nothing has
// changed then.
func (c *Cluster) RotateKeys(secrets [][]byte) error {
	ring, err := seal.NewKeyring(secrets)
	if err != nil {
		return fmt.Errorf("cluster: %w", err)
	}
	if err := c.member.rotate(ring.Membership()); err != nil {
		return fmt.Errorf("cluster: keys of the membership: %w", err)
	}
	c.ring.Store(ring)
	c.sealer.Rotate(ring)
	c.dialer.renew()
	c.log.Info("cluster secrets changed", "keys", ring.IDs())
	return nil
}

// KeyIDs returns the names of the secrets in use, the primary first. They tell
// nothing about the secrets and are the same on every node that has them.
func (c *Cluster) KeyIDs() []string { return c.ring.Load().IDs() }

func (m *membership) rotate(keys [][]byte) error {
	for _, key := range keys {
		if err := m.keys.AddKey(key); err != nil {
			return err
		}
	}
	if err := m.keys.UseKey(keys[0]); err != nil {
		return err
	}
	for _, old := range append([][]byte(nil), m.keys.GetKeys()...) {
		if !contains(keys, old) {
			if err := m.keys.RemoveKey(old); err != nil {
				return err
			}
		}
	}
	return nil
}

func contains(keys [][]byte, key []byte) bool {
	for _, k := range keys {
		if bytes.Equal(k, key) {
			return true
		}
	}
	return false
}

// renew ends all streams, so that the next are opened under the new key.
func (d *dialer) renew() {
	for name, l := range d.lines() {
		d.drop(name, l, errRenewed)
	}
}
