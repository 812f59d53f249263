package origin

import (
	"context"
	"errors"
	"slices"
	"time"
)

// choose returns a backend with a slot acquired. last is the failure of the
// attempt before, nil for the first; it is returned again where no further
// attempt makes sense.
func (p *Pool) choose(ctx context.Context, tried []*backend, last *Error) (*backend, *Error) {
	var room [8]*backend // most services have no more
	backends, err := p.usable(ctx, room[:0])
	if err != nil {
		return nil, err
	}
	if last != nil {
		fresh := slices.DeleteFunc(slices.Clone(backends), func(b *backend) bool { return slices.Contains(tried, b) })
		switch {
		case len(fresh) > 0:
			backends = fresh
		case last.Kind != KindClosed:
			return nil, last
		}
	}
	for _, b := range backends {
		if b.tryAcquire() {
			return b, nil
		}
	}
	if err := backends[0].acquire(ctx); err != nil {
		return nil, err
	}
	return backends[0], nil
}

// usable returns the backends to choose from, the one whose turn it is first, in
// room.
// When none is healthy it returns all: if the judgement is right that costs a
// failed request more, and if it is wrong (a bad check, a fault on this node's
// side) it keeps the service alive.
func (p *Pool) usable(ctx context.Context, room []*backend) ([]*backend, *Error) {
	all := p.inTurn(room)
	if len(all) == 0 {
		if err := p.firstLookups(ctx); err != nil {
			return nil, err
		}
		if all = p.inTurn(room); len(all) == 0 {
			return nil, p.noOrigin()
		}
	}
	if len(all) == 1 {
		return all, nil
	}
	// Healthy ones first: where there are any, only they are returned.
	now, healthy := time.Now(), 0
	for i, b := range all {
		if b.health.verdict(now).State.Usable() {
			copy(all[healthy+1:i+1], all[healthy:i])
			all[healthy] = b
			healthy++
		}
	}
	if healthy == 0 {
		return all, nil
	}
	return all[:healthy], nil
}

// inTurn returns all backends: origins in turn, and within each its addresses
// in turn, so that an origin with many addresses gets no more than its share.
// They are put into room.
func (p *Pool) inTurn(room []*backend) []*backend {
	all := room
	first := int(p.next.Add(1) - 1)
	for i := range p.origins {
		u := p.origins[(first+i)%len(p.origins)]
		backends := u.current()
		if len(backends) == 0 {
			continue
		}
		from := 0
		if i == 0 {
			from = int(u.next.Add(1)-1) % len(backends)
		}
		all = append(append(all, backends[from:]...), backends[:from]...)
	}
	return all
}

// firstLookups waits until there is a backend or every origin's first look-up
// has ended, no longer than ConnectTimeout.
func (p *Pool) firstLookups(ctx context.Context) *Error {
	timer := time.NewTimer(p.cfg.ConnectTimeout)
	defer timer.Stop()
	for _, u := range p.origins {
		select {
		case <-u.looked:
		case <-p.found:
			return nil
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return &Error{Kind: KindCanceled, Err: context.Cause(ctx)}
		case <-p.ctx.Done():
			return &Error{Kind: KindPoolClosed, Err: errPoolClosed}
		}
	}
	return nil
}

func (p *Pool) noOrigin() *Error {
	var failures []error
	for _, u := range p.origins {
		if err := u.lookupError(); err != nil {
			failures = append(failures, err)
		}
	}
	if len(failures) == 0 {
		failures = append(failures, errors.New("the names of the origins are still being looked up"))
	}
	return &Error{Kind: KindNoOrigin, Err: errors.Join(failures...)}
}
