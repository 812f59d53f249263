package wan

import (
	"flag"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/bench/page"
)

var (
	output = flag.String("wan.o", "", "measure everything and write the tables into a `file`")
	rounds = flag.Int("wan.rounds", 16, "purges from each city at each loss")
)

// TestAtTheSpeedOfTheNetwork holds the aims where nothing is lost.
func TestAtTheSpeedOfTheNetwork(t *testing.T) {
	f := bubble(t, Product, Plan{Cities: Cities()[:8], Rounds: 2, Seed: 1})
	if f.Missing > 0 || f.Exact < len(f.Nodes) {
		t.Errorf("%d missing, %d of %d within the aim", f.Missing, f.Exact, len(f.Nodes))
	}
}

// TestWithLoss holds that a fifth of all packets lost costs less than two seconds, but
// for two of sixteen purges: one of a thousand takes longer than a second, because what
// was to repair it was lost as well.
func TestWithLoss(t *testing.T) {
	f := bubble(t, Product, Plan{Cities: Cities()[:8], Rounds: 2, Loss: 0.2, Seed: 1})
	if slow := quantile(f.Last, 0.85); f.Missing > 0 || slow > 2*time.Second {
		t.Errorf("%d missing, and three or more of %d took %v or longer", f.Missing, len(f.Last), slow)
	}
}

// TestOthers holds that what the product is compared with works at all. The hub
// misses nothing; gossip promises no more than that it will most likely arrive: a
// rumour is repeated a number of times, and now and then all of them go elsewhere.
func TestOthers(t *testing.T) {
	for _, other := range []struct {
		name    string
		measure func(Plan) (Figures, error)
		share   float64 // of the nodes that must hear of a purge, in the mean
	}{{"gossip", Gossip, 0.9}, {"hub", Hub, 1}} {
		cities := Cities()[:8]
		f := bubble(t, other.measure, Plan{Cities: cities, Rounds: 1, Seed: 1})
		ways := len(cities) * (len(cities)*perCity - 1)
		if float64(len(f.Nodes)) < other.share*float64(ways) || quantile(f.Last, 1) > 5*time.Second {
			t.Errorf("%s: %d of %d arrived, the slowest took %v", other.name, len(f.Nodes), ways, quantile(f.Last, 1))
		}
	}
}

// TestMeasure writes the tables; it takes minutes.
func TestMeasure(t *testing.T) {
	if *output == "" {
		return // measured on demand
	}
	var rows []Row
	add := func(how, when string, measure func(Plan) (Figures, error), p Plan) {
		p.Cities, p.Rounds = Cities(), *rounds
		p.Seed = uint64(len(rows) + 1)
		began := time.Now()
		rows = append(rows, Row{how, when, bubble(t, measure, p)})
		t.Logf("%s, %s: %v", how, when, time.Since(began).Round(time.Second))
	}
	for _, loss := range []float64{0, 0.01, 0.05, 0.2} {
		when := fmt.Sprintf("%.0f %% loss", 100*loss)
		add("Rescind", when, Product, Plan{Loss: loss})
		add("gossip", when, Gossip, Plan{Loss: loss})
		add("hub", when, Hub, Plan{Loss: loss})
	}
	add("Rescind", "one city flaps", Product, Plan{Flap: true})
	add("gossip", "one city flaps", Gossip, Plan{Flap: true})
	add("hub", "one city flaps", Hub, Plan{Flap: true})
	if err := page.Write(*output, "bench-wan", Report(rows)); err != nil {
		t.Fatal(err)
	}
}

// bubble runs a measurement in virtual time.
func bubble(t *testing.T, measure func(Plan) (Figures, error), p Plan) (f Figures) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if f, err = measure(p); err != nil {
			t.Fatal(err)
		}
	})
	return f
}
