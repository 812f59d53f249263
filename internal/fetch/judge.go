package fetch

import (
	"time"

	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// Judge gives the verdicts of one service's purges on its objects. It is the
// only place where stored objects and marks meet.
type Judge struct {
	Marks *purge.Service
}

// Judge implements store.Judge. For an object that was found live and whose
// service saw no purge since, it costs two atomic loads. Otherwise it is tested
// against the purges after that, which begin where its fetch did.
func (j *Judge) Judge(o store.Object) store.Verdict {
	if o.Checked() >= j.Marks.Position() {
		return store.Verdict{State: store.Live, Times: o.Times()}
	}
	v := j.Marks.Judge(o.Head, o.Checked(), o.Head.Times())
	switch {
	case v.State == purge.Withdrawn:
		if j.Settle(o, time.Now().UnixNano()).Spare {
			return store.Verdict{State: store.Spare}
		}
		return store.Verdict{State: store.Dead}
	case j.missed(o):
		return store.Verdict{State: store.Dead}
	case v.State == purge.Softened:
		return store.Verdict{State: store.Soft, Times: v.Times.Min(o.Times())}
	}
	o.MarkChecked(v.UpTo)
	return store.Verdict{State: store.Live, Times: o.Times()}
}

// Settle tells a sweeper what can no longer change about an object. What no
// purge concerns is remembered, as Judge does.
func (j *Judge) Settle(o store.Object, now int64) purge.Settled {
	settled := j.Marks.Settle(o.Head, o.Checked(), o.Head.Times(), now)
	if settled.UpTo > 0 && !j.missed(o) {
		o.MarkChecked(settled.UpTo)
	}
	return settled
}

// missed tells that the marks that concern an object may be dropped already:
// see store.Object.Withdraw and Left.
func (j *Judge) missed(o store.Object) bool {
	return o.Withdrawn() || o.Left() && j.Marks.Dropped() > o.Head.Stamp()
}
