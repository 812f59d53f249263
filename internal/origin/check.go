package origin

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
)

// maxCheckBody is read of a check's response so that its connection can be
// used again; the page of a health check is small.
const maxCheckBody = 64 << 10

// startChecks runs active checks until the backend is retired or the pool
// closed.
func (b *backend) startChecks() {
	ctx, cancel := context.WithCancel(b.pool.ctx)
	b.retire = cancel
	if b.pool.cfg.Active.Path != "" {
		b.pool.goWork(func() { b.checks(ctx) })
	}
}

func (b *backend) checks(ctx context.Context) {
	interval := b.pool.cfg.Active.Interval
	// The first comes early, but not all of a pool's at once.
	timer := time.NewTimer(rand.N(min(interval, time.Second)))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		err := b.check(ctx)
		if ctx.Err() != nil {
			return
		}
		b.report(b.health.checked(time.Now(), err))
		timer.Reset(interval - interval/20 + rand.N(interval/10+1))
	}
}

// check makes one request. It takes no slot: a backend whose connections are
// all in use is busy, not down. It does not count as an exchange.
func (b *backend) check(ctx context.Context) error {
	active := &b.pool.cfg.Active
	ctx, cancel := context.WithTimeoutCause(ctx, active.Timeout, fmt.Errorf("no complete response within %v", active.Timeout))
	defer cancel()
	res, failure, _ := b.exchange(ctx, b.checkRequest(), nil, false)
	if failure != nil {
		return fmt.Errorf("check: %s: %w", failure.Kind, failure.Err)
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(res.Body, maxCheckBody)); err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if res.Status != active.ExpectedStatus {
		return fmt.Errorf("check: status %d instead of %d", res.Status, active.ExpectedStatus)
	}
	return nil
}

func (b *backend) checkRequest() *Request {
	path, query, hasQuery := field.SplitRaw(b.pool.cfg.Active.Path)
	return &Request{
		Method: "GET",
		Target: field.Target{Path: path, Query: query, HasQuery: hasQuery},
		Host:   b.pool.cfg.Active.Host,
		Fields: field.Fields{{Name: "User-Agent", Value: "rescind-health-check"}},
	}
}
