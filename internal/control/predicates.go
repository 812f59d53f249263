package control

import (
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
)

// checkPredicates refuses selectors that no tag stands for while too much of
// that is in force: past half of what the engine holds, only purges that other
// nodes accepted may add to it.
func (c *Control) checkPredicates(svc *service, selectors []purge.Selector, now time.Time) error {
	var list []*purge.Predicate
	for _, s := range selectors {
		if s.Kind.HasTag() {
			continue
		}
		p, err := s.Predicate(c.parts.Hasher, svc.ID, svc.Query)
		if err != nil {
			return err
		}
		list = append(list, p)
	}
	wait, err := c.parts.Engine.Room(now.UnixNano(), svc.ID, list)
	if err != nil {
		return err
	}
	if wait > 0 {
		c.counts.limited.Add(1)
		return &LimitedError{RetryAfter: wait, Limit: "purges by header and bans of the service in force at once"}
	}
	return nil
}

// addPredicates compiles what no tag stands for. What another node accepted and
// this one cannot compile, because their versions differ, takes everything that
// it is bounded to.
func (c *Control) addPredicates(m *marks, svc *service, selectors []purge.Selector) {
	for _, s := range selectors {
		if s.Kind.HasTag() {
			continue
		}
		if p, err := s.Predicate(c.parts.Hasher, svc.ID, svc.Query); err == nil {
			m.predicates = append(m.predicates, p)
		} else {
			m.tags = append(m.tags, s.Tag(c.parts.Hasher, svc.ID, svc.Query))
		}
	}
}
