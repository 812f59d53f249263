package catch

import (
	"sync"
	"time"

	"github.com/rescind-edge/rescind/internal/shield"
)

// undoneFor is for how long edges are told that a purge was taken back here. An edge
// that has still not heard of it then, though it reaches this node, may get what was
// withdrawn: a comparison once a second with anybody would have told it.
const undoneFor = 10 * time.Minute

// maxUndoneServices bounds the services that are remembered: more than a node has.
const maxUndoneServices = 4096

// undone are the purges that were taken back on this node lately, by service.
type undone struct {
	mu struct {
		sync.Mutex
		services map[string][]takenBack // newest last, at most shield.MaxUndone
	}
}

type takenBack struct {
	id shield.Purge
	at time.Time
}

// TakenBack says that a purge of a service is about to be taken back here: until its
// revert is known there too, edges hold what this node then has for withdrawn. The
// service is empty where it is not known.
func (c *Catcher) TakenBack(service string, id shield.Purge) {
	u := &c.undone
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mu.services == nil || len(u.mu.services) >= maxUndoneServices {
		u.mu.services = make(map[string][]takenBack)
	}
	list := append(u.mu.services[service], takenBack{id, time.Now()})
	u.mu.services[service] = list[max(0, len(list)-shield.MaxUndone):]
}

// Undone returns the purges of a service that were taken back here lately, and those
// of which that is not known, the oldest first.
func (c *Catcher) Undone(service string) (list []shield.Purge) {
	u := &c.undone
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, name := range [...]string{"", service} {
		for _, one := range u.mu.services[name] {
			if time.Since(one.at) <= undoneFor {
				list = append(list, one.id)
			}
		}
		if list == nil {
			delete(u.mu.services, name)
		}
	}
	return list[max(0, len(list)-shield.MaxUndone):]
}
