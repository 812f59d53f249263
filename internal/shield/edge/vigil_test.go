package edge

import (
	"testing"
	"time"
)

// A shield that has said that it is at work is waited for as long as it is alive,
// and no longer: what a cut connection yields when it heals is from before.
func TestAShieldAtWorkThatVanishesIsNotWaitedFor(t *testing.T) {
	const vanishes = 10 * time.Second
	say := map[string]string{
		"10.0.0.1:1": "HTTP/1.1 102 Processing\r\nRescind-Shield: 1\r\n\r\n",
		"10.0.0.2:1": answer("1 hit "+session+" 0 1000/1000/1000/1000", "b"),
	}
	for _, method := range []string{"GET", "POST"} {
		inPlay(t, say, func(t *testing.T, _ *played, p *Parent) {
			members, began := p.cfg.Members(), time.Now()
			target := belongs(p, "a")
			p.cfg.Members = func() []Member {
				if time.Since(began) < vanishes {
					return members
				}
				return members[1:]
			}
			text, parent, took, err := ask(t, p, method, target, nil)
			if took < vanishes || took > vanishes+2*aliveEvery {
				t.Errorf("%s: it was waited for for %v", method, took)
			}
			if repeats := method == "GET"; repeats && (text != "b" || parent != "b" || err != nil) || !repeats && err == nil {
				t.Errorf("%s: %q by %q: %v", method, text, parent, err)
			}
		})
	}
}
