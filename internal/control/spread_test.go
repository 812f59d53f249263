package control

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/purge"
)

// Who has left takes no purge now or later, and is not to be asked again in a
// second, as who is busy.
func TestPurgesAreRefusedForWhatItIs(t *testing.T) {
	n := newNode(t)
	others := &fakeCluster{}
	n.parts.Cluster = others
	left := errors.New("this node has left")
	for full, want := range map[error]error{left: ErrBusy, fmt.Errorf("%w: %w", ErrUnavailable, left): ErrUnavailable} {
		others.full = full
		_, err := n.Purge(here, Request{Service: "shop", Selectors: []purge.Selector{purge.All()}})
		if !errors.Is(err, want) || !errors.Is(err, left) || errors.Is(err, ErrBusy) != (want == ErrBusy) {
			t.Errorf("%v: %v", full, err)
		}
	}
}

// An operator whose address may purge is told what takes its rights away.
func TestDenialSaysThatTheAddressDoesNotCount(t *testing.T) {
	n := newNode(t)
	for _, creds := range []Credentials{here, onData(office)} {
		err := n.Authenticate(forwarded(creds), "")
		if !errors.Is(err, ErrUnauthenticated) || !strings.Contains(err.Error(), "X-Forwarded-For") {
			t.Errorf("%v: %v", creds, err)
		}
	}
	if err := n.Authenticate(stranger, ""); err == nil || err.Error() != ErrUnauthenticated.Error() {
		t.Errorf("a stranger: %v", err)
	}
}
