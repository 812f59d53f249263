package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Story plays what the product is for against a running network, and checks that
// each step is as it should be.
type Story struct {
	Network *Network
	Out     io.Writer

	client http.Client
	table  table
	last   string // id of the last purge by key
}

// Play plays the story and prints what is seen, as it happens. It ends with the
// first step that is not as expected, and returns an error.
func (s *Story) Play(ctx context.Context) error {
	s.client.Timeout = 10 * time.Second
	s.client.Transport = &http.Transport{DisableKeepAlives: true} // a POP that was killed leaves no connection behind
	s.table.out = s.Out
	began := time.Now()
	s.table.print(`One shop, and three POPs in front of it: %s.
They are three processes on this machine, so times are the program's own; between
cities the network's delay comes on top. vN is the version of the product shown.
`, s.names())
	for _, chapter := range []func(context.Context) error{
		s.cached, s.purgedByKey, s.softPurged, s.purgedByURL, s.reverted, s.killed, s.frozen,
	} {
		if err := chapter(ctx); err != nil {
			return fmt.Errorf("the story ends here: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	s.table.print("\nAll %d steps as expected, in %.1f s; %d requests reached the origin.\n",
		s.table.rows, time.Since(began).Seconds(), s.Network.Shop.Requests())
	return s.table.failed
}

func (s *Story) names() (text string) {
	for i, p := range s.Network.POPs {
		switch {
		case i > 0 && i == len(s.Network.POPs)-1:
			text += " and "
		case i > 0:
			text += ", "
		}
		text += p.Name
	}
	return text
}

func (s *Story) chapter(title string) { s.table.chapter(title, s.Network.POPs) }

// change makes a new version of the product, and returns it as visitors see it.
func (s *Story) change() string {
	v := s.Network.Shop.Change(1)
	s.table.event("the product changes at the shop: v%d", v)
	return fmt.Sprintf("v%d", v)
}

// see has every POP visited at the same time. There is one expectation for all,
// or one for each.
func (s *Story) see(ctx context.Context, what, path, lang string, expected ...string) error {
	cells := s.cells(expected)
	err := together(s.Network.POPs, func(i int, p *POP) error {
		if strings.HasPrefix(cells[i].expected, "HIT") {
			// On a busy machine a POP may hear nobody for so long that it asks the origin.
			if err := p.ready(ctx); err != nil {
				return err
			}
		}
		cells[i].seen, cells[i].took = s.visit(ctx, p, path, lang)
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	return s.table.row(what, cells)
}

// await has every POP visited until each answers as expected, for what a POP
// does behind its visitors' backs takes as long as the shop does.
func (s *Story) await(ctx context.Context, what, path string, expected ...string) error {
	ctx, cancel := context.WithTimeout(ctx, knownWithin)
	defer cancel()
	cells := s.cells(expected)
	began := time.Now()
	_ = together(s.Network.POPs, func(i int, p *POP) error {
		c := &cells[i]
		for c.seen != c.expected && ctx.Err() == nil {
			c.seen, _ = s.visit(ctx, p, path, "en")
		}
		c.took = time.Since(began)
		return nil
	})
	return s.table.row(what, cells)
}

func (s *Story) cells(expected []string) []cell {
	cells := make([]cell, len(s.Network.POPs))
	for i := range cells {
		cells[i].expected = expected[min(i, len(expected)-1)]
	}
	return cells
}

// applied shows how long after a moment each POP had applied a purge or a revert:
// it is asked until its receipt is as wanted. POPs that are away are not asked.
func (s *Story) applied(ctx context.Context, what, id string, began time.Time, wanted func(answer) bool, away ...*POP) error {
	cells := s.cells([]string{"applied"})
	err := together(s.Network.POPs, func(i int, p *POP) error {
		c := &cells[i]
		switch {
		case slices.Contains(away, p):
			*c = cell{"-", "-", -1}
		case s.until(ctx, p, id, wanted):
			c.seen, c.took = "applied", time.Since(began)
		default:
			c.seen, c.took = "not yet", time.Since(began)
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	return s.table.row(what, cells)
}

func known(a answer) bool    { return a.ID != "" }
func reverted(a answer) bool { return a.Reverted != nil }
