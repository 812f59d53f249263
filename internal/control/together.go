package control

import (
	"fmt"

	"github.com/rescind-edge/rescind/internal/event"
)

// MaxTogether is the most requests that PurgeTogether takes: with MaxKeys
// selectors each, more than a head or body of the usual limits can name.
const MaxTogether = 64

// PurgeTogether carries out several requests of one caller, all or none, for
// dialects whose clients name more in one call than one purge holds, or different
// modes. Every request is authorised, limited and validated before the first is
// applied; each has its own receipt, in their order. What a refused call took
// from limits stays taken. Idempotency keys are ignored. Errors are those of
// Purge; where the journal takes no more, some may have been applied.
func (c *Control) PurgeTogether(creds Credentials, requests []Request) ([]Receipt, error) {
	st, now := c.state.Load(), c.parts.Now()
	who, err := c.authenticate(st, creds, now)
	if err == nil && len(requests) > MaxTogether {
		err = fmt.Errorf("%w: %d purges in one call; the limit is %d", ErrTooManyKeys, len(requests), MaxTogether)
	}
	if err == nil && len(requests) == 0 {
		err = fmt.Errorf("%w: nothing to purge is named", ErrBadRequest)
	}
	if err != nil {
		what := attempt{action: event.DeniedPurge}
		if len(requests) > 0 {
			what.service, what.dialect = requests[0].Service, requests[0].Dialect
		}
		return nil, c.deny(who, what, err)
	}
	type admitted struct {
		svc *service
		m   marks
	}
	ready := make([]admitted, 0, len(requests))
	for _, r := range requests {
		svc, m, err := c.admit(st, who, r, now)
		if err != nil {
			return nil, c.deny(who, attempt{event.DeniedPurge, r.Service, r.Dialect}, err)
		}
		ready = append(ready, admitted{svc, m})
	}
	receipts := make([]Receipt, 0, len(requests))
	for i, r := range requests {
		receipt, err := c.carry(who, r, ready[i].svc, ready[i].m, now)
		if err != nil {
			return nil, c.deny(who, attempt{event.DeniedPurge, r.Service, r.Dialect}, err)
		}
		receipts = append(receipts, receipt)
	}
	return receipts, nil
}
