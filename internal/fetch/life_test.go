package fetch

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// TestLifeIsAContext holds it to what package context promises of its own.
func TestLifeIsAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, reason := new(life), errors.New("enough")
		child, cancel := context.WithCancel(l)
		defer cancel()
		var calls atomic.Int32
		stops := []func() bool{
			l.AfterFunc(func() { calls.Add(1) }), context.AfterFunc(l, func() { calls.Add(1) }), l.AfterFunc(func() { calls.Add(1) }),
		}
		if l.Err() != nil || child.Err() != nil || l.why() != nil {
			t.Fatal("it ended before its end")
		}
		if !stops[2]() || stops[2]() {
			t.Error("a call can be stopped once")
		}
		l.end(reason)
		l.end(errors.New("again"))
		synctest.Wait()
		<-l.Done()
		<-child.Done()
		if l.Err() != context.Canceled || l.why() != reason || child.Err() != context.Canceled {
			t.Errorf("%v because of %v; its child: %v", l.Err(), l.why(), child.Err())
		}
		if calls.Load() != 2 || stops[0]() || stops[1]() {
			t.Errorf("%d calls at the end", calls.Load())
		}
		l.AfterFunc(func() { calls.Add(1) })
		synctest.Wait()
		if calls.Load() != 3 {
			t.Errorf("%d calls after the end", calls.Load())
		}
		late := new(life)
		late.end(nil)
		<-late.Done()
	})
}
