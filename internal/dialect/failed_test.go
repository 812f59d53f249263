package dialect

import (
	"errors"
	"fmt"
	"testing"

	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/purge"
)

func TestFailed(t *testing.T) {
	for _, tc := range []struct {
		err    error
		status int
	}{
		{fmt.Errorf("%w: x", control.ErrBusy), 503}, {control.ErrUnavailable, 503}, {control.ErrNotSaved, 500},
		{control.ErrForbidden, 0}, {errors.New("x"), 0}, {nil, 0},
	} {
		if status, ok := Failed(tc.err); status != tc.status || ok != (tc.status != 0) {
			t.Errorf("%v: %d, %v", tc.err, status, ok)
		}
	}
}

func TestSplit(t *testing.T) {
	var selectors []purge.Selector
	for i := range 2*purge.MaxKeys + 1 {
		s, err := purge.Key(fmt.Sprint(i))
		if err != nil {
			t.Fatal(err)
		}
		selectors = append(selectors, s, s)
	}
	url, err := purge.URL("//a/0")
	if err != nil {
		t.Fatal(err)
	}
	requests := Split(control.Request{Service: "shop"}, append(selectors, url))
	total := 0
	for _, r := range requests {
		if len(r.Selectors) > purge.MaxKeys || r.Service != "shop" {
			t.Errorf("a request of %d selectors for %q", len(r.Selectors), r.Service)
		}
		total += len(r.Selectors)
	}
	if len(requests) != 3 || total != 2*purge.MaxKeys+2 {
		t.Errorf("%d requests of %d selectors", len(requests), total)
	}
	if Split(control.Request{}, nil) != nil {
		t.Error("a request of nothing")
	}
}
