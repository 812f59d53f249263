package live

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// noon begins a pane.
var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func names(list []Hot) string {
	var b strings.Builder
	for _, h := range list {
		fmt.Fprintf(&b, "%s/%s %d, ", h.Service, h.Name, h.Count)
	}
	return strings.TrimSuffix(b.String(), ", ")
}

func TestTopOfFewIsExact(t *testing.T) {
	top := new(Top)
	for i := range 30 {
		at := noon.Add(time.Duration(i) * time.Second)
		top.Add(at, 1, "shop", "/a")
		if i%2 == 0 {
			top.Add(at, 2, "shop", "/b?x")
			top.Add(at, 1, "blog", "/a")
		}
		if i%10 == 0 {
			top.Add(at, 1, "blog", "/c")
		}
	}
	now := noon.Add(30 * time.Second)
	if got, want := names(top.Hottest(now, 3, nil)), "shop//a 30, shop//b?x 30, blog//a 15"; got != want {
		t.Errorf("hottest are %s, want %s", got, want)
	}
	if got, want := names(top.Hottest(now, 10, func(service string) bool { return service == "blog" })), "blog//a 15, blog//c 3"; got != want {
		t.Errorf("hottest of one service are %s, want %s", got, want)
	}
	if rate := top.Hottest(now, 1, nil)[0].Rate; rate != 1 {
		t.Errorf("the rate is %v a second, want 1", rate)
	}
	if list := top.Hottest(now, -1, nil); len(list) != 0 {
		t.Errorf("less than none are %v", list)
	}
}

func TestTopForgets(t *testing.T) {
	top := new(Top)
	top.Add(noon, 100, "shop", "/old")
	top.Add(noon.Add(40*time.Second), 5, "shop", "/new")
	for _, tc := range []struct {
		after time.Duration
		want  string
	}{
		{59 * time.Second, "shop//old 100, shop//new 5"},
		{60 * time.Second, "shop//new 5"},
		{99 * time.Second, "shop//new 5"},
		{100 * time.Second, ""},
	} {
		if got := names(top.Hottest(noon.Add(tc.after), 10, nil)); got != tc.want {
			t.Errorf("after %v: %q, want %q", tc.after, got, tc.want)
		}
	}
	top.Add(noon.Add(60*time.Second), 1, "shop", "/next") // takes the place of the first pane
	top.Add(noon, 1000, "shop", "/old")                   // from a goroutine that was late
	if got := names(top.Hottest(noon.Add(60*time.Second), 10, nil)); got != "shop//new 5, shop//next 1" {
		t.Errorf("then: %s", got)
	}
}

func TestRateOfAMomentIsNotInfinite(t *testing.T) {
	top := new(Top)
	top.Add(noon, 7, "shop", "/a")
	if got := top.Hottest(noon, 1, nil)[0].Rate; got != 7 {
		t.Errorf("7 requests of no time at all are %v a second", got)
	}
}

// TestTopInNoise has names that are asked for once, many times as many as are
// counted, and a few that are asked for often.
func TestTopInNoise(t *testing.T) {
	top := new(Top)
	const rounds = 20000
	for i := range rounds {
		at := noon.Add(time.Duration(i) * time.Minute / rounds)
		top.Add(at, 1, "shop", fmt.Sprintf("/once/%d", i))
		if i%20 == 0 {
			top.Add(at, 1, "shop", "/often")
		}
		if i%40 == 0 {
			top.Add(at, 1, "shop", "/sometimes")
		}
	}
	list := top.Hottest(noon.Add(time.Minute-1), 10, nil)
	if len(list) != 2 || list[0].Name != "/often" || list[1].Name != "/sometimes" {
		t.Fatalf("hottest are %s", names(list))
	}
	for i, truth := range []uint64{rounds / 20, rounds / 40} {
		if h := list[i]; h.Count < truth || h.Count-h.Over > truth {
			t.Errorf("%s was asked for %d times; Top says %d, of which at most %d are too many", h.Name, truth, h.Count, h.Over)
		}
	}
}

func TestTopIsBounded(t *testing.T) {
	top := new(Top)
	long := strings.Repeat("x", 10*maxNameBytes)
	for i := range 5 * maxCounted {
		top.Add(noon, 1, "shop", fmt.Sprint(i, long))
	}
	p := &top.mu.panes[noon.UnixNano()/int64(paneTime)%panes]
	if len(p.counts.heap) != maxCounted || len(p.counts.places) != maxCounted {
		t.Errorf("%d and %d names are counted", len(p.counts.heap), len(p.counts.places))
	}
	for _, c := range p.counts.heap {
		if len(c.label.name) > maxNameBytes || !strings.HasSuffix(c.label.name, "...") {
			t.Fatalf("a name of %d bytes is kept", len(c.label.name))
		}
	}
}

// TestSummaryAgainstExactCounts compares with a map on random histories.
func TestSummaryAgainstExactCounts(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		var s summary
		truth := map[string]uint64{}
		whole := uint64(0)
		spread := 1 + random.ExpFloat64()*2000
		for range 5000 {
			name, weight := fmt.Sprint(int(random.ExpFloat64()*spread)), uint64(1)<<random.IntN(4)
			s.add(label{"shop", name}, weight)
			truth[name] += weight
			whole += weight
		}
		for at, c := range s.heap {
			if c.at != at || s.places[c.label] != c {
				t.Fatal("the heap and its index differ")
			}
			if n := truth[c.label.name]; c.n < n || c.n-c.over > n || c.over > whole/maxCounted {
				t.Fatalf("%s was added %d times; counted %d, over %d, of %d", c.label.name, n, c.n, c.over, whole)
			}
		}
		for name, n := range truth {
			if n > whole/maxCounted && s.places[label{"shop", name}] == nil {
				t.Fatalf("%s is %d of %d, and has no place", name, n, whole)
			}
		}
		s.reset()
		if s.add(label{"shop", "a"}, 1); len(s.heap) != 1 || s.heap[0].n != 1 {
			t.Fatal("a summary that was reset is not empty")
		}
	}
}

func TestConcurrentTop(t *testing.T) {
	top, sampler := new(Top), new(Sampler)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 5000 {
				at := noon.Add(time.Duration(i) * 10 * time.Millisecond)
				if w := sampler.Take(at); w > 0 {
					top.Add(at, w, "shop", "/a")
				}
				if i%100 == 0 {
					top.Hottest(at, 5, nil)
				}
			}
		})
	}
	all.Wait()
	list := top.Hottest(noon.Add(50*time.Second), 5, nil)
	// The deviation is 280: ten times less than the tolerance, which chance exceeds once
	// in 10^23.
	if len(list) != 1 || list[0].Count < 17000 || list[0].Count > 23000 {
		t.Errorf("20000 requests are estimated as %s", names(list))
	}
}

// run sends requests at a rate for some seconds, and returns how many they
// stand for and the most that were taken in one second.
func run(s *Sampler, from time.Time, seconds, rate int) (estimate uint64, most int) {
	for second := range seconds {
		taken := 0
		for i := range rate {
			at := from.Add(time.Duration(second)*time.Second + time.Duration(i)*time.Second/time.Duration(rate))
			if w := s.Take(at); w > 0 {
				estimate += w
				taken++
			}
		}
		most = max(most, taken)
	}
	return estimate, most
}

func TestSamplerTakesAllOfFew(t *testing.T) {
	if n, most := run(new(Sampler), noon, 10, 500); n != 5000 || most != 500 {
		t.Errorf("5000 requests are estimated as %d; %d taken a second", n, most)
	}
}

// TestSamplerAdapts goes from idle to busy and back. Its tolerance is twelve times
// the deviation that chance explains, 24,000; 1,350 are the most that are taken.
func TestSamplerAdapts(t *testing.T) {
	s := new(Sampler)
	run(s, noon, 1, 200000)
	n, most := run(s, noon.Add(time.Second), 10, 200000)
	if n < 1_700_000 || n > 2_300_000 {
		t.Errorf("2000000 requests are estimated as %d", n)
	}
	if most > 2*maxSamples {
		t.Errorf("%d were taken in a second", most)
	}
	if n, _ := run(s, noon.Add(30*time.Second), 10, 50); n != 500 {
		t.Errorf("500 requests after a pause are estimated as %d", n)
	}
}

func TestSamplerSlowsDownWithTheTraffic(t *testing.T) {
	s := new(Sampler)
	run(s, noon, 5, 200000)
	run(s, noon.Add(5*time.Second), 12, 300)
	if n, _ := run(s, noon.Add(17*time.Second), 5, 300); n != 1500 {
		t.Errorf("1500 requests are estimated as %d", n)
	}
}
