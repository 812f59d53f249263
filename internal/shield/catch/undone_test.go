package catch

import (
	"slices"
	"testing"
	"time"

	"github.com/rescind-edge/rescind/internal/shield"
)

func TestWhatWasTakenBackIsToldForAWhile(t *testing.T) {
	inWorld(t, &world{}, func(c *Catcher) {
		expect := func(service string, want ...byte) {
			t.Helper()
			var got []byte
			for _, id := range c.Undone(service) {
				got = append(got, id[0])
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", service, got, want)
			}
		}
		expect("shop")
		c.TakenBack("", shield.Purge{1}) // before it has come
		c.TakenBack("shop", shield.Purge{2})
		expect("shop", 1, 2)
		expect("blog", 1)
		time.Sleep(undoneFor / 2)
		for i := range byte(shield.MaxUndone) {
			c.TakenBack("shop", shield.Purge{10 + i})
		}
		expect("shop", 10, 11, 12, 13, 14, 15)
		time.Sleep(undoneFor/2 + time.Second)
		expect("blog")
		expect("shop", 10, 11, 12, 13, 14, 15)
		time.Sleep(undoneFor)
		expect("shop")
	})
}
