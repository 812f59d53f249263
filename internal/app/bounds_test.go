package app

import (
	"reflect"
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

// What the configuration says of limits is what the server is given, so that none
// is its default whatever the file says.
func TestTheServerIsGivenEveryLimit(t *testing.T) {
	var said config.Limits
	for _, field := range reflect.ValueOf(&said).Elem().Fields() {
		field.SetInt(7)
	}
	for field, given := range reflect.ValueOf(serverLimits(said)).Fields() {
		switch field.Name {
		case "HandshakeTimeout", "MaxStreams": // there is no setting
		default:
			if given.Int() != 7 {
				t.Errorf("%s is %v", field.Name, given)
			}
		}
	}
}
