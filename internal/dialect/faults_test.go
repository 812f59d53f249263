package dialect_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/dialect"
	"github.com/rescind-edge/rescind/internal/dialect/cloudflare"
	"github.com/rescind-edge/rescind/internal/dialect/dialecttest"
	"github.com/rescind-edge/rescind/internal/dialect/invalidation"
	"github.com/rescind-edge/rescind/internal/dialect/stackpath"
)

// TestBodies has bodies that are too long, and that never end, at every door
// that reads one: each answers in its own shape.
func TestBodies(t *testing.T) {
	for _, tc := range []struct {
		line    string
		handler func(dialect.Door) http.Handler
		shape   string // the beginning of a refusal
	}{
		{"POST /client/v4/zones/shop/purge_cache", cloudflare.New, `{"result":null,"success":false,"errors":[{"code":`},
		{"POST /cdn/v1/stacks/shop/purge", func(d dialect.Door) http.Handler { return stackpath.New(stackpath.Config{Door: d}) }, `{"code":`},
		{"POST /identity/v1/oauth2/token", func(d dialect.Door) http.Handler { return stackpath.New(stackpath.Config{Door: d}) }, `{"code":`},
		{"POST /invalidation", func(d dialect.Door) http.Handler { return invalidation.New(d, nil) }, `{"title":`},
	} {
		for body, status := range map[string]int{strings.Repeat("x", dialect.MaxBody+1): 413, "{": 408} {
			length := len(body)
			if status == 408 {
				length = 100 // and the rest never comes
			}
			raw := fmt.Sprintf("%s HTTP/1.1\nHost: a\nContent-Length: %d\n\n%s", tc.line, length, body)
			var got dialecttest.Answer
			synctest.Test(t, func(t *testing.T) {
				got = dialecttest.Stall(t, tc.handler(dialecttest.New(t).Door()), raw, 30*time.Second)
			})
			if got.Status != status || !strings.HasPrefix(got.Body, tc.shape) {
				t.Errorf("%s, %d bytes: %d %s, want %d", tc.line, len(body), got.Status, got.Body, status)
			}
		}
	}
}
