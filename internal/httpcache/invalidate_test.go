package httpcache

import (
	"slices"
	"testing"

	"github.com/rescind-edge/rescind/internal/field"
)

func TestInvalidatesTarget(t *testing.T) {
	for _, c := range []struct {
		method string
		status int
		want   bool
	}{
		{"POST", 200, true}, {"PUT", 204, true}, {"DELETE", 302, true}, {"PATCH", 399, true},
		{"M-SEARCH", 200, true}, {"get", 200, true}, {"UNHEARD", 200, true},
		{"POST", 400, false}, {"POST", 500, false}, {"POST", 100, false},
		{"GET", 200, false}, {"HEAD", 200, false}, {"OPTIONS", 200, false}, {"TRACE", 200, false}, {"PROPFIND", 207, false},
	} {
		if got := InvalidatesTarget(c.method, c.status); got != c.want {
			t.Errorf("%s answered %d: %v", c.method, c.status, got)
		}
	}
}

func TestInvalidatedTargets(t *testing.T) {
	base := field.Target{Scheme: "https", Host: "a.example", Path: "/d/e", Query: "q=%2f", HasQuery: true}
	for _, c := range []struct {
		name  string
		lines []string
		want  []string // besides the target
	}{
		{"none", nil, nil},
		{"path", []string{"Location: /x%2Fy?z"}, []string{"https://a.example/x%2Fy?z"}},
		{"both", []string{"Location: /x", "Content-Location: /y"}, []string{"https://a.example/x", "https://a.example/y"}},
		{"both the same", []string{"Location: /x", "Content-Location: /x#f"}, []string{"https://a.example/x"}},
		{"the target itself", []string{"Location: /d/e?q=%2f"}, nil},
		{"relative", []string{"Location: x"}, []string{"https://a.example/d/x"}},
		{"dots", []string{"Location: ../x/./y/.."}, []string{"https://a.example/x/"}},
		{"too many dots", []string{"Location: ../../../x"}, []string{"https://a.example/x"}},
		{"query only", []string{"Location: ?z"}, []string{"https://a.example/d/e?z"}},
		{"empty", []string{"Location:"}, nil},
		{"fragment only", []string{"Location: #f"}, nil},
		{"absolute", []string{"Location: https://a.example/x"}, []string{"https://a.example/x"}},
		{"absolute in another spelling", []string{"Location: HTTPS://A.EXAMPLE.:443/x"}, []string{"https://a.example/x"}},
		{"absolute without a path", []string{"Location: https://a.example?z"}, []string{"https://a.example/?z"}},
		{"without a scheme", []string{"Location: //a.example/x"}, []string{"https://a.example/x"}},
		{"another host", []string{"Location: https://b.example/x", "Content-Location: //b.example/x"}, nil},
		{"another port", []string{"Location: https://a.example:8443/x"}, nil},
		{"another scheme", []string{"Location: http://a.example/x"}, nil},
		{"userinfo", []string{"Location: https://a.example@b.example/x", "Content-Location: https://b@a.example/x"}, nil},
		{"no web address", []string{"Location: mailto:a@a.example", "Content-Location: urn:x"}, nil},
		{"white space", []string{"Location: /x y"}, nil},
		{"a colon in the path", []string{"Location: /a:b", "Content-Location: ./c:d"}, []string{"https://a.example/a:b", "https://a.example/d/c:d"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := InvalidatedTargets(base, head(c.lines...))
			if got[0] != base {
				t.Fatalf("the first is %v", got[0])
			}
			var rest []string
			for _, target := range got[1:] {
				rest = append(rest, target.String())
			}
			if !slices.Equal(rest, c.want) {
				t.Errorf("%v, want %v", rest, c.want)
			}
		})
	}
}
