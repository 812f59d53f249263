package config

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// minSecretBytes is what a secret needs at least: members are trusted with
// everything, and who guesses it is one.
const minSecretBytes = 16

// MaxIsolationAfter is the most that cluster.isolation.after may be: members do
// not believe more of each other.
const MaxIsolationAfter = 24 * time.Hour

func (r *reader) readCluster(top *section) {
	c := &r.config.Cluster
	*c = Cluster{
		Role: RoleNode, DurableOn: 1, WaitAtMost: 30 * time.Second,
		Isolation: Isolation{After: 30 * time.Second, Policy: IsolationServe, AtStart: IsolationRevalidate},
	}
	top.section("cluster", func(s *section) {
		s.require("bind", `members need to know where this node is; write bind: "0.0.0.0:7946"`)
		s.require("secret", `write secret: "${NAME}" to take it from the environment; openssl rand -hex 32 makes a good one`)
		parsed(s, "bind", &c.Bind, parseMemberAddress)
		parsed(s, "advertise", &c.Advertise, parseMemberAddress)
		s.oneOrEach("join", func(item *node) {
			var at string
			if parseNode(r, item, &at, parseJoin) {
				c.Join = append(c.Join, at)
			}
		})
		s.oneOrEach("secret", func(item *node) { r.readClusterSecret(item, c) })
		choice(s, "role", &c.Role, RoleNode, RoleWitness)
		s.integer("durable_on", &c.DurableOn, 1, 2)
		if c.DurableOn > 1 && r.config.Node.DataDir == "" {
			s.failField("durable_on", "is %d, and without node.data_dir this node has no disk of its own; set it", c.DurableOn)
		}
		s.duration("wait_at_most", &c.WaitAtMost, time.Second)
		s.section("isolation", func(s *section) {
			s.durationWithin("after", &c.Isolation.After, time.Second, MaxIsolationAfter)
			choice(s, "policy", &c.Isolation.Policy, IsolationServe, IsolationRevalidate, IsolationRefuse)
			choice(s, "at_start", &c.Isolation.AtStart, IsolationServe, IsolationRevalidate, IsolationRefuse)
		})
	})
}

// witness tells whether the node serves no site.
func (r *reader) witness() bool { return r.config.Cluster.Role == RoleWitness }

// noSites is said of settings that a witness has no use for.
const noSites = "has no effect on a witness, which serves no site; remove it, or role: witness"

// maxSecrets is how many secrets members know at a time: a change needs two, and
// more are left of changes that nobody finished.
const maxSecrets = 8

// readClusterSecret must not quote what was written.
func (r *reader) readClusterSecret(item *node, c *Cluster) {
	if !r.want(item, isScalar) {
		return
	}
	if len(item.text) < minSecretBytes {
		r.fail(item, "is shorter than %d bytes; openssl rand -hex 32 makes a good one", minSecretBytes)
		return
	}
	if slices.Contains(c.Secret, item.text) {
		r.fail(item, "is given twice")
		return
	}
	if len(c.Secret) == maxSecrets {
		r.fail(item, "is one too many; %d are the most", maxSecrets)
		return
	}
	c.Secret = append(c.Secret, item.text)
}

// parseMemberAddress takes an address and a port that leaves room for the next.
func parseMemberAddress(text string) (string, error) {
	at, err := netip.ParseAddrPort(text)
	if err != nil || at.Port() == 0 || at.Port() == 65535 {
		return "", errors.New(`is not an address and a port from 1 to 65534, like "10.0.0.1:7946"`)
	}
	return text, nil
}

// parseJoin takes a host, by name or address, and a port.
func parseJoin(text string) (string, error) {
	host, port, err := net.SplitHostPort(text)
	n, numErr := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || numErr != nil || n == 0 {
		return "", errors.New(`is not a host and a port, like "fra1-a.example:7946"`)
	}
	return text, nil
}
