package dialect

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/control"
)

func TestToken(t *testing.T) {
	for _, tc := range []struct {
		name, fastly, authorization, want string
	}{
		{"none", "", "", ""},
		{"Fastly-Key", "k", "", "k"},
		{"bearer", "", "Bearer k", "k"},
		{"bearer in another case", "", "bEARER  k ", "k"},
		{"both", "k", "Bearer other", "k"},
		{"basic", "", "Basic dTpw", ""},
		{"bearer of nothing", "", "Bearer", ""},
		{"no scheme", "", "k", ""},
	} {
		h := http.Header{}
		if tc.fastly != "" {
			h.Set("Fastly-Key", tc.fastly)
		}
		if tc.authorization != "" {
			h.Set("Authorization", tc.authorization)
		}
		if got := Token(h); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestDoorSetsListenerAndTokenItself(t *testing.T) {
	door := Door{Client: func(*http.Request) control.Credentials {
		return control.Credentials{Local: true, Token: "stale", Listener: control.DataListener}
	}}
	got := door.Credentials(httptest.NewRequest("GET", "/", nil), control.AdminListener)
	if got.Token != "" || got.Listener != control.AdminListener || !got.Local {
		t.Errorf("%+v", got)
	}
}

func TestReadBody(t *testing.T) {
	for size, want := range map[int]error{0: nil, MaxBody: nil, MaxBody + 1: ErrBodyTooLarge} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", size)))
		body, err := ReadBody(httptest.NewRecorder(), r)
		if err != want || err == nil && len(body) != size {
			t.Errorf("%d bytes: read %d, %v", size, len(body), err)
		}
	}
}
