package sim

import (
	"errors"
	"strconv"
	"time"

	"github.com/rescind-edge/rescind/internal/cluster"
	"github.com/rescind-edge/rescind/internal/control"
	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/store"
)

// host is a machine and what the run remembers of it.
type host struct {
	*Machine
	world *World
	watch *watch // of the present node
	tags  [][]field.Tag
	life  int   // counts starts
	saved *Disk // an old copy of the disk; nil: none
	stale *Disk // what the disk of a Stale run shows after a crash; nil: as it is
	gone  bool  // it has left for good
	lost  int64 // tick at which what its disk had was lost; 0: never
}

func (h *host) running() bool { return h.Node() != nil }

// start starts a node and looks whether its disk kept what it owes.
func (h *host) start() {
	h.life++
	if h.world.fixed.Load() || h.life > 1 {
		h.Join = h.world.addresses(h)
	}
	h.Settings.Engine = func(e control.Engine) control.Engine {
		h.watch = newWatch(wrapped(e, h.world.cfg.Engine), &h.world.ticks)
		return h.watch
	}
	err := h.Start()
	if errors.Is(err, errFull) {
		h.world.note("%s does not start on a full disk", h.Name)
		return
	}
	if err != nil {
		h.world.blame("%v", err)
		return
	}
	h.tags = nil
	for _, p := range h.world.pages {
		h.tags = append(h.tags, p.tags(h.Node().Hasher))
	}
	if h.Disk == nil {
		h.world.note("%s starts, without a disk", h.Name)
	} else {
		h.world.note("%s starts", h.Name)
	}
	h.world.checkOwed(h)
}

// serves tells whether a node runs that serves a site: no witness.
func (h *host) serves() bool { return h.running() && !h.Settings.Witness }

// trusts tells whether the node may serve what it has stored without asking the
// origin.
func (h *host) trusts() bool {
	serves := h.Settings.Isolation.Policy == cluster.PolicyServe
	return h.connected() || serves && h.Node().Cluster.Ready()
}

// connected tells whether the node hears a majority, and has caught up.
func (h *host) connected() bool {
	return h.Node().Cluster.Ready() && !h.Node().Cluster.Isolated()
}

// found is what a node has stored of a page and may use, as far as its marks say.
type found struct {
	began int64 // tick of the fetch
	fresh int64 // instant
}

// anyVariant matches every variant.
type anyVariant struct{}

func (anyVariant) MatchVariant(*store.Head) bool { return true }

// look returns what a node would use for a request of a page.
func (h *host) look(number int) (found, bool) {
	n := h.Node()
	o := n.Store.Get(n.Hasher.Key(Service, h.world.pages[number].target()), anyVariant{})
	if !o.Found() {
		return found{}, false
	}
	defer o.Release()
	v := n.judge.Judge(o)
	if !v.Usable() {
		return found{}, false
	}
	began, _ := strconv.ParseInt(o.Head.SurrogateKey(0), 10, 64)
	return found{began: began, fresh: v.Times.Fresh}, true
}

// lives is how long what is fetched stays fresh: longer than any run.
const lives = 100 * time.Hour

// fetch asks the origin for a page and stores it, as a miss does.
func (h *host) fetch(number int, takes time.Duration) {
	n, p := h.Node(), h.world.pages[number]
	tags := h.tags[number]
	marks := n.judge.Marks
	lease := marks.Begin()
	began := h.world.ticks.Add(1)
	h.world.doing.Go(func() {
		defer lease.End()
		time.Sleep(takes)
		if n.Over() {
			return
		}
		fresh := h.Clock.Now().Add(lives).UnixNano()
		o := n.Store.Put(store.Draft{
			Key: n.Hasher.Key(Service, p.target()), Judge: n.judge,
			Head: store.NewHead(store.HeadSpec{
				Status: 200, Fields: field.Fields{{Name: firstKey, Value: p.keys[0]}}, Tags: tags, Keys: []string{strconv.FormatInt(began, 10)}, Stamp: lease.Stamp(),
				Times: field.Times{Fresh: fresh, SWR: fresh, SIE: fresh, Keep: fresh}, URL: p.target().String(),
			}),
		})
		if o.Found() {
			n.judge.Judge(o)
		}
		o.Release()
	})
}

// forgets tells whether the host has no disk: what it confirmed may be gone with
// its process.
func (h *host) forgets() bool { return h.Disk == nil }
