package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

const (
	// churnMemory is the budget of a cache through which objects come and go:
	// small enough that each phase fills it.
	churnMemory = 512 << 20
	churnTime   = time.Hour // by default
	// churnEvery is the time between two samples of memory and delays.
	churnEvery = 10 * time.Second
	// A quarter's worth of samples says how delays at the end compare with those
	// at the beginning.
	churnQuarters = 4
	// churnUndo is for how long purges can be undone: the default of Rescind.
	churnUndo = time.Minute
)

// churnSample is one look at a node under churn.
type churnSample struct {
	resident, counted int64 // bytes
	objects           int64
	hits, requests    int
	p99, worst        float64 // µs, of hits
	gc                float64 // part of a core
}

// measureChurn runs a node whose objects change all the time: their sizes and
// keys shift, all are evicted sooner or later, and purges of all kinds go on. It
// compares resident memory with the budget, and checks at the end that nothing
// is counted that is not there.
func measureChurn(l *lab) error {
	servers, err := l.start(settings{memory: churnMemory, undoWindow: churnUndo, gcTrace: true}, startRescind)
	if err != nil {
		return err
	}
	s := servers[0]
	took := l.plan.churn
	l.progress("  %s: objects come and go for %v", s.name, took)
	w := newWhirl(s)
	ctx, cancel := context.WithTimeoutCause(l.ctx, took, errChurned)
	defer cancel()
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var all sync.WaitGroup
	w.run(ctx, fail, &all)
	samples, err := l.watchChurn(ctx, s, w)
	fail(err)
	all.Wait()
	if cause := context.Cause(ctx); cause != errChurned {
		return fmt.Errorf("%s under churn: %w", s.name, cause)
	}
	if err := l.reportChurn(s, w, samples); err != nil {
		return err
	}
	if err := l.auditChurn(s); err != nil {
		return err
	}
	return l.dismiss()
}

// watchChurn takes samples until the context ends.
func (l *lab) watchChurn(ctx context.Context, s *server, w *whirl) ([]churnSample, error) {
	began := time.Now()
	var samples []churnSample
	offset, last := outputSize(s), began
	for beat := time.NewTicker(churnEvery); ; {
		select {
		case <-beat.C:
		case <-ctx.Done():
			beat.Stop()
			return samples, nil
		}
		sample, err := l.sampleChurn(s, w)
		if err != nil {
			return nil, err
		}
		ms, _, err := traceSince(s, offset)
		if err != nil {
			return nil, err
		}
		sample.gc = ms / 1e3 / time.Since(last).Seconds()
		offset, last = outputSize(s), time.Now()
		samples = append(samples, sample)
		if err := s.rewindLog(); err != nil {
			return nil, err
		}
		l.progress("    %4.0f s, %s: %4d MiB resident, %4d MiB counted, %7d objects, %5d requests/s, %2.0f %% hits, 99 %% of them in %5.0f µs, all in %6.0f µs, collector %.1f %%",
			time.Since(began).Seconds(), w.phase().set, sample.resident>>20, sample.counted>>20, sample.objects,
			sample.requests/int(churnEvery.Seconds()), 100*float64(sample.hits)/float64(max(sample.requests, 1)), sample.p99, sample.worst, 100*sample.gc)
	}
}

func (l *lab) sampleChurn(s *server, w *whirl) (churnSample, error) {
	stat, err := readStat(s.processes[0].cmd.Process.Pid)
	if err != nil {
		return churnSample{}, err
	}
	f, err := s.fill()
	if err != nil {
		return churnSample{}, err
	}
	delays, requests := w.take()
	sample := churnSample{resident: stat.resident, counted: f.bytes, objects: f.objects, hits: len(delays), requests: requests}
	if len(delays) > 0 {
		sample.p99, sample.worst = percentile(delays, 99), slices.Max(delays)
	}
	return sample, nil
}

func (l *lab) reportChurn(s *server, w *whirl, samples []churnSample) error {
	if len(samples) < churnQuarters {
		return fmt.Errorf("%v of churn are too short", l.plan.churn)
	}
	chapter := fmt.Sprintf("Objects that come and go for %v in %d MiB", l.plan.churn, churnMemory>>20)
	var most int64
	var gc, worst float64
	first, last := series{Name: s.name + ", first quarter"}, series{Name: s.name + ", last quarter"}
	for i, x := range samples {
		most, worst = max(most, x.resident), max(worst, x.worst)
		gc += x.gc / float64(len(samples))
		if x.hits == 0 {
			continue
		}
		switch i * churnQuarters / len(samples) {
		case 0:
			first.add(x.p99)
		case churnQuarters - 1:
			last.add(x.p99)
		}
	}
	l.report.compare(comparison{
		Chapter: chapter, What: "most resident memory of the whole process", Unit: "MiB", Aim: atMost(1.2),
		Subject: series{Name: s.name, Samples: []float64{float64(most) / (1 << 20)}},
		Peer:    series{Name: "its budget", Samples: []float64{churnMemory >> 20}},
	})
	l.report.compare(comparison{Chapter: chapter, What: "99th percentile of hits", Unit: microseconds, Subject: last, Peer: first})
	f, err := s.fill()
	if err != nil {
		return err
	}
	l.report.remark("churn: %s requests, %s of them hits, %s objects evicted; %s purges, of which %s were undone; after %s of them a response was looked at, and none was from before",
		thousands(w.requests.Load()), thousands(w.hits.Load()), thousands(f.evicted), thousands(w.purges.Load()), thousands(w.reverts.Load()), thousands(w.verified.Load()))
	l.report.remark("churn: Go's collector took %.1f %% of the core; the slowest hit took %s µs", 100*gc, figure(worst))
	return nil
}

// auditChurn withdraws all and waits until nothing is counted any more: what is
// then left was counted twice, or is lost.
func (l *lab) auditChurn(s *server) error {
	c, err := dial(s.purging.address)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := checkBooks(c); err != nil {
		return fmt.Errorf("%s after churn: %w", s.name, err)
	}
	if _, err := purgeRescind(c, allPurge()); err != nil {
		return err
	}
	l.progress("  %s: all is withdrawn; waiting until it is freed", s.name)
	var f filling
	for deadline := time.Now().Add(churnUndo + mostReclaim); time.Now().Before(deadline); {
		if f, err = s.fill(); err != nil {
			return err
		}
		if f.objects == 0 && f.bytes == 0 {
			l.report.remark("churn: when everything was purged, 0 objects and 0 bytes of them were counted")
			return checkBooks(c)
		}
		if err := l.pause(time.Second); err != nil {
			return err
		}
	}
	l.report.note(finding{
		Fatal: true, Where: s.name + ", after churn", Kind: "audit",
		Text: fmt.Sprintf("%d objects and %d bytes are counted though all was purged", f.objects, f.bytes),
	})
	return nil
}
