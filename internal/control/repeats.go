package control

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"time"
)

// MaxIdempotencyKeyBytes bounds Request.IdempotencyKey.
const MaxIdempotencyKeyBytes = 255

// Bounds of what is remembered of purges with idempotency keys. Past either of
// the sizes the oldest go; a purge repeated after that is carried out again,
// which is harmless.
const (
	repeatWindow     = 24 * time.Hour
	maxRepeats       = 10_000
	maxRepeatedBytes = 16 << 20
)

// repeats remembers receipts by the callers' idempotency keys.
type repeats struct {
	mu struct {
		sync.Mutex
		byKey map[repeatKey]*repeat
		order []*repeat // those that have a receipt, oldest first
		bytes int
	}
}

// repeatKey is an idempotency key with whose it is. Callers let in by address
// share an account, so their addresses tell them apart.
type repeatKey struct {
	account *account
	addr    netip.Addr
	key     string
}

// repeat is a purge that was asked for with a key. done is closed when the first
// request ends; receipt is nil where that failed.
type repeat struct {
	key     repeatKey
	print   [sha256.Size]byte
	done    chan struct{}
	receipt *Receipt
}

func (r *repeat) bytes() int { return r.receipt.bytes() + len(r.key.key) }

func (t *repeats) init() { t.mu.byKey = make(map[repeatKey]*repeat) }

// once carries out a request, or returns the receipt of the one that it
// repeats. Of several at once the first is carried out and the others wait for
// it: no purge waits for anything but the engine.
func (c *Control) once(st *state, who caller, r Request, now time.Time) (Receipt, error) {
	if r.IdempotencyKey == "" {
		return c.purge(st, who, r, now)
	}
	if err := checkIdempotencyKey(r.IdempotencyKey); err != nil {
		return Receipt{}, err
	}
	key, print := c.repeatKey(who, r.IdempotencyKey), fingerprint(r)
	for {
		entry, first := c.repeats.begin(key, print, now)
		if first {
			return c.carryOut(entry, st, who, r, now)
		}
		<-entry.done
		switch {
		case entry.receipt == nil: // it failed and took nothing: somebody else's turn
		case entry.print != print:
			return Receipt{}, ErrKeyReused
		default:
			return c.replay(*entry.receipt), nil
		}
	}
}

func (c *Control) carryOut(entry *repeat, st *state, who caller, r Request, now time.Time) (receipt Receipt, err error) {
	defer func() { c.repeats.end(entry) }()
	if receipt, err = c.purge(st, who, r, now); err == nil {
		entry.receipt = &receipt
	}
	return receipt, err
}

// replay returns a receipt as it is now: it may have been reverted meanwhile.
func (c *Control) replay(r Receipt) Receipt {
	if kept, ok := c.ledger.get(r.ID); ok {
		r = kept
	}
	r.Replayed = true
	return r
}

func (c *Control) repeatKey(who caller, key string) repeatKey {
	k := repeatKey{account: c.accountOf(who), key: key}
	if k.account == &c.admitted {
		k.addr = who.creds.Addr
	}
	return k
}

// begin returns the entry of a key, and whether it is new: then the caller must
// give it to end.
func (t *repeats) begin(key repeatKey, print [sha256.Size]byte, now time.Time) (entry *repeat, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.mu.order) > 0 && now.Sub(t.mu.order[0].receipt.Accepted) >= repeatWindow {
		t.dropOldestLocked()
	}
	if entry = t.mu.byKey[key]; entry != nil {
		return entry, false
	}
	entry = &repeat{key: key, print: print, done: make(chan struct{})}
	t.mu.byKey[key] = entry
	return entry, true
}

// end keeps an entry that has a receipt, forgets one that has none, and lets
// those go on who wait for it.
func (t *repeats) end(entry *repeat) {
	t.mu.Lock()
	defer t.mu.Unlock()
	defer close(entry.done)
	if entry.receipt == nil {
		delete(t.mu.byKey, entry.key)
		return
	}
	t.mu.order = append(t.mu.order, entry)
	t.mu.bytes += entry.bytes()
	for len(t.mu.order) > maxRepeats || t.mu.bytes > maxRepeatedBytes && len(t.mu.order) > 1 {
		t.dropOldestLocked()
	}
}

func (t *repeats) dropOldestLocked() {
	oldest := t.mu.order[0]
	t.mu.order[0] = nil
	t.mu.order = t.mu.order[1:]
	t.mu.bytes -= oldest.bytes()
	delete(t.mu.byKey, oldest.key)
}

func checkIdempotencyKey(key string) error {
	if len(key) > MaxIdempotencyKeyBytes || !printable(key) {
		return fmt.Errorf("%w: an idempotency key must be 1 to %d bytes of printable ASCII", ErrBadRequest, MaxIdempotencyKeyBytes)
	}
	return nil
}

// printable tells whether s is printable ASCII.
func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// fingerprint tells requests apart that ask for different things. The order of
// the selectors counts; how the request was spelt does not.
func fingerprint(r Request) [sha256.Size]byte {
	h := sha256.New()
	text := func(parts ...string) {
		for _, s := range parts {
			h.Write(binary.AppendUvarint(nil, uint64(len(s))))
			h.Write([]byte(s))
		}
	}
	e := r.Effect.Normal()
	text(r.Service, r.Host, r.Note, fmt.Sprint(e.Mode, e.TTL, e.Grace, e.Keep))
	for _, s := range r.Selectors {
		text(s.Kind.String(), s.String())
	}
	return [sha256.Size]byte(h.Sum(nil))
}
