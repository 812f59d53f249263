package accesslog_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/rescind-edge/rescind/internal/accesslog"
	"github.com/rescind-edge/rescind/internal/event"
)

type output []string

func (o *output) Put(line []byte) { *o = append(*o, string(line)) }

func TestEachRouteHasItsFormatAndFilter(t *testing.T) {
	var all, errors output
	log := accesslog.NewLog("n1", []accesslog.Route{
		{Format: compile(t, accesslog.Config{Format: "%s %U"}), To: &all},
		{Format: compile(t, accesslog.Config{Format: "%{Rescind:node}x %s %{Rescind:outcome}x"}), To: &errors,
			Only: func(e *event.Request) bool { return e.Status >= 400 }},
	})
	log.Request(&event.Request{Status: 200, Target: "/a?b"})
	log.Request(&event.Request{Status: 503, Target: "/c", Node: "n1", Outcome: event.OutcomeError})
	log.Refused(event.Refused{Status: 431, Target: "/d"})
	if want := (output{"200 /a", "503 /c", "431 /d"}); !slices.Equal(all, want) {
		t.Errorf("got %q, want %q", all, want)
	}
	if want := (output{"n1 503 error", "n1 431 refused"}); !slices.Equal(errors, want) {
		t.Errorf("got %q, want %q", errors, want)
	}
}

func TestPurgesGoToAllOutputs(t *testing.T) {
	var a, b output
	log := accesslog.NewPurgeLog([]accesslog.Output{&a, &b})
	log.Purged(event.Purged{ID: "1"})
	log.Reverted(event.Reverted{ID: "1"})
	log.Denied(event.Denied{Reason: event.DeniedForbidden})
	log.TokenChanged(event.TokenChanged{Change: event.TokenRevoked})
	if len(a) != 4 || !slices.Equal(a, b) {
		t.Fatalf("got %q and %q", a, b)
	}
	for i, want := range []string{`"event":"purge"`, `"event":"revert"`, `"event":"denied"`, `"event":"token"`} {
		if !strings.Contains(a[i], want) {
			t.Errorf("line %d is %s", i, a[i])
		}
	}
}

func TestNoRoutesCostNothing(t *testing.T) {
	log, purges := accesslog.NewLog("n", nil), accesslog.NewPurgeLog(nil)
	log.Request(sample())
	log.Refused(event.Refused{})
	purges.Purged(event.Purged{})
}
