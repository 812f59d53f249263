package sim

import (
	"context"
	"time"
)

// crash ends a node without a word.
func (w *World) crash() {
	h := w.oneOf((*host).running)
	if h == nil {
		return
	}
	chances := w.chances()
	w.note("%s crashes, power lost %v", h.Name, chances != nil)
	h.Crash(chances)
	if h.stale != nil {
		h.Disk, h.stale = h.stale, nil
	}
	w.count(func(c *Counts) { c.Crashes++ })
	if h.Disk == nil {
		w.wiped(h)
	}
}

// age keeps what the disks of a Stale run are to show after a crash.
func (w *World) age() {
	for _, h := range w.some(func(h *host) bool { return h.running() && h.Disk != nil && h.stale == nil }) {
		h.stale = h.Disk.copy()
	}
}

// stop ends a node in order. It comes back.
func (w *World) stop() {
	h := w.oneOf((*host).running)
	if h == nil {
		return
	}
	w.note("%s stops: %v", h.Name, h.Stop())
	if h.Disk == nil {
		w.wiped(h)
	}
}

func (h *host) down() bool { return !h.running() && !h.gone }

func (w *World) restart() {
	if h := w.oneOf((*host).down); h != nil {
		h.start()
	}
}

// wipe gives a node that is down a new disk.
func (w *World) wipe() {
	h := w.oneOf(func(h *host) bool { return h.down() && h.Disk != nil })
	if h == nil {
		return
	}
	w.note("%s loses its disk", h.Name)
	h.Disk, h.saved, h.stale = NewDisk(), nil, nil
	h.Disk.lies.Store(w.cfg.Liar)
	w.wiped(h)
}

// keepCopy makes a copy of a disk.
func (w *World) keepCopy() {
	if h := w.oneOf(func(h *host) bool { return h.running() && h.Disk != nil }); h != nil {
		h.saved = h.Disk.copy()
		w.note("the disk of %s is copied", h.Name)
	}
}

// rollBack sets a disk back to its copy.
func (w *World) rollBack() {
	h := w.oneOf(func(h *host) bool { return h.down() && h.saved != nil })
	if h == nil {
		return
	}
	w.note("the disk of %s is set back", h.Name)
	h.Disk, h.saved, h.stale = h.saved, nil, nil
	h.Disk.lies.Store(w.cfg.Liar)
	w.wiped(h)
}

// mostHosts bounds a run.
const mostHosts = 8

// clone starts a new node on a copy of another's disk.
func (w *World) clone() {
	h := w.oneOf(func(h *host) bool { return h.Disk != nil && !h.gone })
	if h == nil || len(w.all()) >= mostHosts {
		return
	}
	w.changed()
	w.note("a new node gets a copy of the disk of %s", h.Name)
	w.newcomer(h.Disk.copy())
}

// join starts a new node.
func (w *World) join() {
	if len(w.all()) < mostHosts {
		w.changed()
		w.newcomer(w.anyDisk())
	}
}

func (w *World) newcomer(disk *Disk) {
	h := w.add(disk)
	h.Join = w.addresses(h)
	w.connect()
	h.start()
}

// leave has a node leave for good.
func (w *World) leave() {
	h := w.oneOf((*host).running)
	if h == nil || len(w.up()) < 3 {
		return
	}
	w.changed()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := h.Node().Cluster.Leave(ctx)
	stopped := h.Stop()
	h.gone = true
	w.note("%s leaves: %v, %v", h.Name, err, stopped)
	w.wiped(h) // its disk is of use to nobody
}

// forget has a node forget one that is down.
func (w *World) forget() {
	h, gone := w.oneOf((*host).running), w.oneOf((*host).down)
	if h == nil || gone == nil {
		return
	}
	w.changed()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	w.note("%s forgets %s: %v", h.Name, gone.Name, h.Node().Cluster.Forget(ctx, gone.Name))
}

func (w *World) slowDisk() {
	h := w.oneOf(func(h *host) bool { return h.Disk != nil })
	if h == nil {
		return
	}
	long := []time.Duration{0, 5 * time.Millisecond, 100 * time.Millisecond, 2 * second}[w.rng.IntN(4)]
	h.Disk.SetSync(long)
	w.note("the disk of %s takes %v to sync", h.Name, long)
}

func (w *World) fillDisk() {
	h := w.oneOf(func(h *host) bool { return h.Disk != nil })
	if h == nil {
		return
	}
	full := !h.Disk.full.Load()
	h.Disk.SetFull(full)
	w.note("the disk of %s is full: %v", h.Name, full)
}

// wiped takes note that what a disk had is lost, or that it went back in time,
// and which purges no disk has any more.
func (w *World) wiped(h *host) {
	h.Lose()
	h.lost = w.ticks.Add(1)
	holders := make(map[*host]bool)
	for _, p := range w.promises() {
		w.mu.Lock()
		delete(p.owed, h)
		p.many = time.Time{}
		w.mu.Unlock()
	}
	for _, o := range w.all() {
		holders[o] = o != h && !o.gone
	}
	vectors := w.vectors()
	lost := 0
	w.mu.Lock()
	for _, p := range w.mu.promises {
		kept := false
		for o := range holders {
			kept = kept || holders[o] && knows(vectors[o], p.Entry)
		}
		if !kept && !p.lost {
			p.lost = true
			lost++
		}
	}
	for _, t := range w.mu.passes {
		t.lossy = t.lossy || t.creator == h || t.revoker == h
	}
	w.mu.counts.Wipes++
	w.mu.counts.Lost += lost
	w.mu.Unlock()
	if lost > 0 {
		w.note("%d purges were on this disk alone", lost)
	}
}

// changed takes note that the members are not those of the beginning any more.
func (w *World) changed() {
	w.fixed.Store(false)
	w.same.Store(false)
}
