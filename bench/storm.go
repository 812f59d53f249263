package main

import (
	"sync"
	"time"
)

const (
	stormRate  = 10_000 // keys purged in a second
	stormBatch = 250    // keys of one call
)

// storm purges keys that no object has, so that what is asked for stays stored
// and yet has to be judged again after each.
type storm struct {
	began time.Time
	stop  chan struct{}
	done  sync.WaitGroup

	purged int   // read after done
	err    error // read after done
}

func startStorm(s *server) (*storm, error) {
	c, err := dial(s.purging.address)
	if err != nil {
		return nil, err
	}
	st := &storm{began: time.Now(), stop: make(chan struct{})}
	st.done.Go(func() {
		defer c.Close()
		st.err = st.blow(s, c)
	})
	return st, nil
}

func (st *storm) blow(s *server, c *conn) error {
	beat := time.NewTicker(time.Second * stormBatch / stormRate)
	defer beat.Stop()
	keys := make([]string, stormBatch)
	for {
		select {
		case <-st.stop:
			return nil
		case <-beat.C:
		}
		// A call that took too long is made up for.
		for due := int(time.Since(st.began).Seconds() * stormRate); st.purged+stormBatch <= due; st.purged += stormBatch {
			for i := range keys {
				keys[i] = numbered("storm", st.purged+i)
			}
			if err := s.purge(c, keys...); err != nil {
				return err
			}
			select {
			case <-st.stop:
				return nil
			default:
			}
		}
	}
}

// end stops the storm and says when it began and how many keys were purged.
func (st *storm) end() (began time.Time, purged int, err error) {
	close(st.stop)
	st.done.Wait()
	return st.began, st.purged, st.err
}
