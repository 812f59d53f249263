package control

import (
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
)

// addPredicates compiles what no tag stands for, and refuses it while too much
// of it is in force: past half of what the engine holds, only purges that other
// nodes accepted may add to it.
func (c *Control) addPredicates(m *marks, svc *service, selectors []purge.Selector, now time.Time) error {
	for _, s := range selectors {
		if s.Kind.HasTag() {
			continue
		}
		p, err := s.Predicate(c.parts.Hasher, svc.ID, svc.Query)
		if err != nil {
			return err
		}
		m.predicates = append(m.predicates, p)
	}
	wait, err := c.parts.Engine.Room(now.UnixNano(), svc.ID, m.predicates)
	if err != nil {
		return err
	}
	if wait > 0 {
		c.counts.limited.Add(1)
		return &LimitedError{RetryAfter: wait, Limit: "purges by header and bans of the service in force at once"}
	}
	return nil
}
