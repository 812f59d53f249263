package control

import (
	"sync"
	"sync/atomic"
	"time"
)

// account is what one caller has used, whatever it is configured to be: it
// outlives reloads, so that these neither fill limits up nor forget when a
// token was last used.
type account struct {
	used atomic.Int64 // when it was last let in, Unix nanoseconds; 0: never

	mu struct {
		sync.Mutex
		budgets map[string]*budget // by service
	}
}

// budget returns what the account has left for a service.
func (a *account) budget(s *service) *budget {
	a.mu.Lock()
	defer a.mu.Unlock()
	b := a.mu.budgets[s.ID]
	if b == nil {
		if a.mu.budgets == nil {
			a.mu.budgets = make(map[string]*budget)
		}
		b = newBudget(s.Limits)
		a.mu.budgets[s.ID] = b
	}
	return b
}

// reconfigure takes up changed limits, and forgets services that are not
// configured any more, which bounds an account by their number.
func (a *account) reconfigure(st *state, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for id, b := range a.mu.budgets {
		if svc := st.services[id]; svc != nil {
			b.adjust(svc.Limits, now)
		} else {
			delete(a.mu.budgets, id)
		}
	}
}

// lastUsed returns when the account was last used; zero: never.
func (a *account) lastUsed() time.Time {
	if at := a.used.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}
