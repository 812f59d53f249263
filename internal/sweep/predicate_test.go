package sweep

import (
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
)

// storePage stores an object with a status and a header field.
func (s *shelf) storePage(name string, status int, product string) {
	s.t.Helper()
	lease := s.marks.Begin()
	defer lease.End()
	body := s.Store.NewBody(0)
	body.Complete(nil)
	head := store.NewHead(store.HeadSpec{
		Status: status, Fields: field.Fields{{Name: "X-Product", Value: product}}, URL: "https://h/" + name,
		Stamp: lease.Stamp(), Times: long.from(time.Now()),
	})
	s.Store.Put(store.Draft{Key: key(name), Head: head, Body: body, Judge: s.judge}).Release()
	body.Release()
}

func (s *shelf) purgeBy(e purge.Effect, selector purge.Selector, err error) purge.ID {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	p, err := selector.Predicate(field.NewHasher([16]byte{1}), "shop", field.QueryRule{})
	if err != nil {
		s.t.Fatal(err)
	}
	now := time.Now()
	id := purge.NewID(now.UnixMilli())
	s.Engine.Apply(now.UnixNano(), purge.Purge{ID: id, Service: "shop", Predicates: []*purge.Predicate{p}, Effect: e})
	return id
}

// TestPredicatesAreCarriedOut holds that a walk removes what a header selector
// withdrew, writes what a ban softened into the objects, and that neither is
// then tested against any more.
func TestPredicatesAreCarriedOut(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.storePage("red", 200, "shoes/red")
		s.storePage("hat", 404, "hats/black")
		s.storePage("fine", 200, "hats/white")
		own := s.expect("hat", store.Live)

		selector, err := purge.Header("X-Product", "shoes/*", "")
		s.purgeBy(purge.Effect{}, selector, err)
		selector, err = purge.ParseBan("obj.status == 404")
		s.purgeBy(purge.SoftEffect(), selector, err)
		began := time.Now()
		s.pass()
		s.expect("red", store.Spare)
		s.expect("hat", store.Soft)
		s.expect("fine", store.Live)

		time.Sleep(time.Minute)
		s.pass()
		s.expectGone("red")
		softened := s.expect("hat", store.Live)
		if softened.Fresh > began.UnixNano() || softened.Fresh >= own.Fresh {
			t.Errorf("fresh until %v", time.Unix(0, softened.Fresh))
		}
		s.expect("fine", store.Live)
		if st := s.Engine.Stats(); st.Predicates != 0 || st.Bytes != 0 {
			t.Errorf("left behind: %+v", st)
		}
		s.counts(2, 1, 0, 2)
	})
}

// TestWalksRememberWhatTheyTested holds that an object that nobody asks for is
// not tested at each walk.
func TestWalksRememberWhatTheyTested(t *testing.T) {
	onShelf(t, purge.Config{}, func(s *shelf) {
		s.storePage("fine", 200, "hats")
		selector, err := purge.ParseBan("obj.status == 404")
		s.purgeBy(purge.Effect{}, selector, err)
		s.pass()
		o := s.Store.Get(key("fine"), anyVariant{})
		defer o.Release()
		if o.Checked() != s.marks.Position() {
			t.Errorf("tested up to %d of %d", o.Checked(), s.marks.Position())
		}
	})
}
