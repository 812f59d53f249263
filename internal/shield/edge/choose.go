package edge

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// ranked returns members in the order in which they are asked for a target: by
// rendezvous hashing, so that all edges ask the same one, and when one comes or
// goes only what belongs to it moves.
func ranked(members []Member, service string, target field.Target) []Member {
	type weighed struct {
		Member
		weight uint64
	}
	all := make([]weighed, len(members))
	url := service + "\x00" + target.String()
	for i, m := range members {
		all[i] = weighed{m, weight(m.Name, url)}
	}
	slices.SortFunc(all, func(a, b weighed) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	out := make([]Member, len(all))
	for i := range all {
		out[i] = all[i].Member
	}
	return out
}

// weight hashes a member and a URL. It is the same on every node and in every
// version: edges that disagree about it fetch twice.
func weight(member, url string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(member))
	h.Write([]byte{0})
	h.Write([]byte(url))
	x := h.Sum64()
	// FNV alone spreads similar names badly over the high bits.
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// candidates returns the members to ask, at most maxTries. Where there is none,
// why says so.
func (p *Parent) candidates(target field.Target, why *string) []Member {
	members, now := p.cfg.Members(), time.Now()
	if len(members) == 0 {
		return nil
	}
	*why = Resting
	var out []Member
	for _, m := range ranked(members, p.cfg.Service, target) {
		if len(out) < maxTries && p.wakes(m, now) {
			out = append(out, m)
		}
	}
	return out
}

// wakes tells whether a member may be asked: it has not failed lately, or it is time
// to see whether it still does.
func (p *Parent) wakes(m Member, now time.Time) bool {
	p.mu.Lock()
	l := p.mu.lines[m.Name]
	p.mu.Unlock()
	return l == nil || l.address != m.Address || l.claim(now)
}
