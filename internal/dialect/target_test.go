package dialect

import (
	"net/http"
	"testing"
)

func TestTargetURL(t *testing.T) {
	for _, tc := range []struct{ host, target, want string }{
		{"A.example:80", "/x?y#z", "//a.example/x?y%23z"},
		{"a.example", "http://b.example/x", "//a.example/x"},
		{"a.example", "http://b.example", "//a.example/"},
		{"a.example:8080", "x", "//a.example:8080/x"},
		{"u@a.example", "/x", ""},
		{"", "/x", ""},
	} {
		if got := TargetURL(&http.Request{Host: tc.host, RequestURI: tc.target}); got != tc.want {
			t.Errorf("%+v: %q", tc, got)
		}
	}
}
