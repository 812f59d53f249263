package control

import "time"

// AcceptedElsewhere calls visit with the receipts of purges that other nodes
// accepted through a dialect after an instant, newest arrival first, as far as
// receipts are kept. visit must not change them, nor call back.
func (c *Control) AcceptedElsewhere(dialect string, after time.Time, visit func(*Receipt)) {
	c.ledger.mu.Lock()
	defer c.ledger.mu.Unlock()
	for i := len(c.ledger.mu.order) - 1; i >= 0; i-- {
		if r := c.ledger.mu.order[i]; r.Dialect == dialect && r.Node != c.parts.Node && r.Accepted.After(after) {
			visit(r)
		}
	}
}
