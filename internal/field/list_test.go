package field

import (
	"strings"
	"testing"
)

func TestLists(t *testing.T) {
	for _, test := range []struct {
		list, token string
		want        bool
	}{
		{"close", "close", true},
		{"Close", "cLOSE", true},
		{"keep-alive, \t Close ,x", "close", true},
		{"keep-alive,close", "close", true},
		{"closed", "close", false},
		{"x close", "close", false},
		{"", "close", false},
		{"", "", false},
		{"a,,b", "", false},
		{"\u212aeep-alive", "keep-alive", false}, // U+212A, which Unicode folds to k
	} {
		if got := Lists(test.list, test.token); got != test.want {
			t.Errorf("%q lists %q: %v", test.list, test.token, got)
		}
	}
	f := Fields{{"connection", "a"}, {"Other", "b"}, {"Connection", "c, d"}}
	for token, want := range map[string]bool{"A": true, "b": false, "d": true, "": false} {
		if got := f.Lists("Connection", token); got != want {
			t.Errorf("the lines list %q: %v", token, got)
		}
	}
}

func TestAnyMember(t *testing.T) {
	var seen []string
	AnyMember(" a,b\t, ,\"c,d\"", func(member string) bool {
		seen = append(seen, member)
		return member == "d\""
	})
	if got := strings.Join(seen, "|"); got != "a|b||\"c|d\"" {
		t.Errorf("members %s", got)
	}
}

func TestOfConnection(t *testing.T) {
	for _, name := range []string{"connection", "Keep-Alive", "Proxy-Connection", "transfer-encoding", "UPGRADE"} {
		if !OfConnection(name) {
			t.Errorf("%s is not", name)
		}
	}
	for _, name := range []string{"", "TE", "Trailer", "Host", "Expires", "Connectiom", "Content-Length"} {
		if OfConnection(name) {
			t.Errorf("%s is", name)
		}
	}
}
