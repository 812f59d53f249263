package app

import (
	"testing"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/config"
	"github.com/rescind-edge/rescind/internal/journal"
)

// What the configuration admits, the packages behind it take for granted.
func TestBoundsOfTheConfigurationAreThoseOfThePackages(t *testing.T) {
	if config.MaxIsolationAfter > cluster.MaxAfter {
		t.Errorf("isolation.after may be %v, and members do not count those of more than %v", config.MaxIsolationAfter, cluster.MaxAfter)
	}
	// Whoever applies a purge as late as entries are kept may take it back until its
	// own undo window ends: before, nothing may stand for other purges.
	if latest := journal.DefaultRetention + config.MaxUndoWindow; final <= latest {
		t.Errorf("a purge counts as final after %v, and may be taken back until %v", final, latest)
	}
}
