package control

import (
	"sync"

	"github.com/rescind-edge/rescind/internal/purge"
)

// Bounds of the receipts that are kept; past either the oldest go. Ten thousand
// are a morning of a busy site's work and a few megabytes; the bytes bound what
// purges of 256 long URLs each would take.
const (
	maxReceipts     = 10_000
	maxReceiptBytes = 32 << 20
)

// maxEarly bounds the reverts that are remembered for purges without a receipt:
// those on their way, which are few.
const maxEarly = 1024

// ledger keeps the latest receipts.
type ledger struct {
	mu struct {
		sync.Mutex
		byID  map[purge.ID]*Receipt
		order []*Receipt // oldest first
		bytes int
		early map[purge.ID]*Reverted // of purges that have no receipt yet
	}
}

func (l *ledger) init() {
	l.mu.byID = make(map[purge.ID]*Receipt)
	l.mu.early = make(map[purge.ID]*Reverted)
}

// add keeps a receipt, which belongs to it then, and forgets the oldest as far as it
// must. Of a purge that has one already, as when it was issued twice, that one
// stands.
func (l *ledger) add(r *Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mu.byID[r.ID] != nil {
		return
	}
	if rev := l.mu.early[r.ID]; rev != nil {
		r.Reverted = rev
		delete(l.mu.early, r.ID)
	}
	l.mu.byID[r.ID] = r
	l.mu.order = append(l.mu.order, r)
	l.mu.bytes += r.bytes()
	for len(l.mu.order) > maxReceipts || l.mu.bytes > maxReceiptBytes && len(l.mu.order) > 1 {
		oldest := l.mu.order[0]
		l.mu.order[0] = nil
		l.mu.order = l.mu.order[1:]
		l.mu.bytes -= oldest.bytes()
		delete(l.mu.byID, oldest.ID)
	}
}

// get returns a copy of the receipt of a purge.
func (l *ledger) get(id purge.ID) (Receipt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := l.mu.byID[id]
	if !ok {
		return Receipt{}, false
	}
	return *r, true
}

// has tells whether there is a receipt of a purge.
func (l *ledger) has(id purge.ID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.byID[id] != nil
}

// reverted notes that a purge was taken back, for its receipt, which may come
// later. The first revert stands.
func (l *ledger) reverted(rev Reverted) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch r := l.mu.byID[rev.ID]; {
	case r != nil && r.Reverted == nil:
		r.Reverted = &rev
	case r == nil && l.mu.early[rev.ID] == nil:
		if len(l.mu.early) >= maxEarly {
			clear(l.mu.early)
		}
		l.mu.early[rev.ID] = &rev
	}
}

// recent returns copies of up to n receipts whose service keep approves of,
// newest first.
func (l *ledger) recent(n int, keep func(service string) bool) []Receipt {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []Receipt
	for i := len(l.mu.order) - 1; i >= 0 && len(out) < n; i-- {
		if keep(l.mu.order[i].Service) {
			out = append(out, *l.mu.order[i])
		}
	}
	return out
}
