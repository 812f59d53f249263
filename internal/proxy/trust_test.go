package proxy

import (
	"errors"
	"net/http"
	"testing"

	"github.com/rescind-edge/rescind/internal/origin"
)

// trusting makes a site whose trust in what it has stored can be changed.
func trusting(t *testing.T) (s *site, set func(Trust)) {
	s = newSite(t)
	now := TrustStored
	cfg := s.proxy.now.Load().Config
	cfg.Trust = func() Trust { return now }
	cfg.Purge = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) })
	s.proxy.Reconfigure(cfg)
	return s, func(t Trust) { now = t }
}

// A node that may have missed purges serves nothing that the origin has not
// confirmed, by whatever way a request comes.
func TestNothingStoredIsServedUnconfirmed(t *testing.T) {
	s, set := trusting(t)
	s.says("page", "Cache-Control: max-age=600, stale-if-error=600, stale-while-revalidate=600")
	s.want(s.get("/a"), "MISS", "page")
	s.want(s.get("/a"), "HIT", "page")
	set(TrustOrigin)
	before := s.fetches()
	for range 3 {
		if got := s.get("/a"); got.Code != 200 || got.body() != "page" || got.cache() == "HIT" {
			t.Fatalf("%d %q %q", got.Code, got.cache(), got.body())
		}
	}
	if n := s.fetches() - before; n != 3 {
		t.Errorf("the origin was asked %d times for three requests", n)
	}
	if got := s.fast("GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n"); got != "" {
		t.Errorf("the fast path answered %q", got)
	}
	s.origin(func(*origin.Request) (*origin.Response, error) { return nil, errors.New("down") })
	if got := s.get("/a"); got.Code < 500 {
		t.Errorf("a failing origin: %d %q", got.Code, got.body())
	}
	set(TrustNobody)
	if got := s.get("/a"); got.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %q", got.Code, got.body())
	}
	if got := s.fast("GET /a HTTP/1.1\r\nHost: shop.example\r\n\r\n"); got != "" {
		t.Errorf("the fast path answered %q", got)
	}
	if got := s.do("PURGE", "/a"); got.Code != http.StatusAccepted {
		t.Errorf("a purge is refused: %d", got.Code)
	}
	set(TrustStored)
	s.want(s.get("/a"), "HIT", "page")
}
