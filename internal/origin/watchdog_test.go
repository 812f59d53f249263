package origin

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchdog(t *testing.T) {
	for _, test := range []struct {
		name string
		do   func(w *watchdog)
		want time.Duration // until the bite; 0: none
		kind Kind
	}{
		{"unmet", func(w *watchdog) { w.expect(KindIdleTimeout, 5) }, 5, KindIdleTimeout},
		{"met", func(w *watchdog) { w.expect(KindIdleTimeout, 5); w.rest() }, 0, 0},
		{"prolonged", func(w *watchdog) {
			w.expect(KindIdleTimeout, 5)
			pause(3)
			w.expect(KindFirstByteTimeout, 5)
		}, 8, KindFirstByteTimeout},
		{"shortened", func(w *watchdog) {
			w.expect(KindFirstByteTimeout, 50)
			pause(3)
			w.expect(KindIdleTimeout, 5)
		}, 8, KindIdleTimeout},
		{"expected again after a rest", func(w *watchdog) {
			w.expect(KindIdleTimeout, 5)
			w.rest()
			pause(7)
			w.expect(KindIdleTimeout, 5)
		}, 12, KindIdleTimeout},
		{"stopped", func(w *watchdog) { w.expect(KindIdleTimeout, 5); w.stop() }, 0, 0},
		{"expected after the stop", func(w *watchdog) { w.stop(); w.expect(KindIdleTimeout, 5) }, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var bites []time.Duration
				w := &watchdog{bite: func() { bites = append(bites, time.Since(start)) }}
				test.do(w)
				pause(1000)
				synctest.Wait()
				switch {
				case test.want == 0 && len(bites) > 0, test.want != 0 && (len(bites) != 1 || bites[0] != test.want):
					t.Errorf("bit at %v, want %v", bites, test.want)
				case w.bitten() != test.kind:
					t.Errorf("kind %v, want %v", w.bitten(), test.kind)
				}
				w.stop()
			})
		})
	}
}
