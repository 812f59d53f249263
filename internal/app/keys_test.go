package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/api"
)

func TestKeyStep(t *testing.T) {
	for _, tc := range []struct {
		keys string // of each member, with slashes between; "?" of one that is silent
		want api.KeyStep
		says string
	}{
		{"a/a/a", api.KeysOne, "nothing"},
		{"a b/a/a", api.KeysUneven, "b is known on m1 alone"},
		{"a b/a b/a b", api.KeysBoth, "all members know"},
		{"b a/a b/a b", api.KeysTurning, "a is used by m2, m3"},
		{"b/b a/b a", api.KeysUneven, "a is known on m2, m3 alone"},
		{"b a/a/a b", api.KeysApart, "b: in use on m1, and not known on m2"},
		{"a/b", api.KeysApart, "a: in use on m1, and not known on m2"},
		{"a b/a b/?", api.KeysUnknown, "m3 did not say"},
		{"b a/a/?", api.KeysApart, "not known on m2"},
		{"?", api.KeysUnknown, "m1"},
	} {
		var list []api.MemberKeys
		for i, keys := range strings.Split(tc.keys, "/") {
			m := api.MemberKeys{Member: fmt.Sprintf("m%d", i+1), Keys: strings.Fields(keys)}
			if keys == "?" {
				m.Keys, m.Error = nil, "it does not answer"
			}
			list = append(list, m)
		}
		if step, next := keyStep(list); step != tc.want || !strings.Contains(next, tc.says) {
			t.Errorf("%s: %s, %s", tc.keys, step, next)
		}
	}
}
