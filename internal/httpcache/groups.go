package httpcache

import (
	"github.com/dunglas/httpsfv"

	"github.com/rescind-edge/rescind/internal/field"
)

// Limits of the groups of one response. A cache must take 32 groups of 32
// characters at least (RFC 9875 section 2); these leave room for long names and
// keep what an origin can make an object carry bounded.
const (
	MaxGroups     = 128
	MaxGroupBytes = 256
)

// Groups are the groups that a response belongs to, or says to invalidate.
type Groups struct {
	Names   []string // in their order
	Ignored int      // over a limit
}

// CacheGroups returns the groups of a response (RFC 9875 section 2).
func CacheGroups(resp field.Fields) Groups { return groups(resp, "Cache-Groups") }

// InvalidatedGroups returns the groups of the target's origin that an exchange
// makes unusable. The field means nothing in responses to safe methods
// (RFC 9875 section 3).
func InvalidatedGroups(method string, resp field.Fields) Groups {
	if SafeMethod(method) {
		return Groups{}
	}
	return groups(resp, "Cache-Group-Invalidation")
}

// groups reads a list of strings (RFC 9651 section 3.1). A field that is none,
// or that holds anything but strings, is ignored as a whole; parameters are too.
func groups(resp field.Fields, name string) (g Groups) {
	value, ok := resp.Joined(name)
	if !ok {
		return Groups{}
	}
	list, err := httpsfv.UnmarshalList([]string{value})
	if err != nil {
		return Groups{}
	}
	for _, member := range list {
		item, ok := member.(httpsfv.Item)
		if !ok {
			return Groups{}
		}
		text, ok := item.Value.(string)
		if !ok {
			return Groups{}
		}
		if len(g.Names) == MaxGroups || len(text) > MaxGroupBytes {
			g.Ignored++
			continue
		}
		g.Names = append(g.Names, text)
	}
	return g
}

// Keys returns the surrogate keys of a response for a target: those of its tag
// headers and, where groups count, those of its groups.
func (p *Policy) Keys(t field.Target, resp field.Fields) TagList {
	list := Tags(p.TagHeaders, resp)
	if p.CacheGroups {
		g := CacheGroups(resp)
		list.Ignored += g.Ignored
		list.Keys = append(list.Keys, groupKeys(t, g)...)
	}
	return list
}

// InvalidatedKeys returns the surrogate keys that an exchange makes unusable, by
// the groups that its response names.
func (p *Policy) InvalidatedKeys(method string, t field.Target, resp field.Fields) []string {
	if !p.CacheGroups {
		return nil
	}
	return groupKeys(t, InvalidatedGroups(method, resp))
}

func groupKeys(t field.Target, g Groups) (keys []string) {
	for _, name := range g.Names {
		keys = append(keys, GroupKey(t.Scheme, t.Host, name))
	}
	return keys
}

// GroupKey returns the surrogate key that stands for a group of an origin
// (RFC 6454): groups of different origins have nothing in common. It holds
// spaces, so no tag header can name it.
func GroupKey(scheme, host, group string) string {
	return "group " + scheme + "://" + host + " " + group
}
