package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rescind-edge/rescind/internal/field"
	"github.com/rescind-edge/rescind/internal/httpcache"
	"github.com/rescind-edge/rescind/internal/origin"
	"github.com/rescind-edge/rescind/internal/purge"
	"github.com/rescind-edge/rescind/internal/store"
	"github.com/rescind-edge/rescind/internal/store/memory"
)

// bench is a Fetcher in front of an origin that a test plays.
type bench struct {
	*Fetcher
	engine *purge.Engine
	store  *memory.Store
	hasher *field.Hasher
	answer func(ctx context.Context, r *origin.Request) (*origin.Response, error)
}

func newBench(t *testing.T) *bench {
	b := &bench{engine: purge.NewEngine(purge.Config{}), store: memory.New(memory.Config{Budget: 1 << 20, Poison: true}), hasher: field.RandomHasher()}
	b.Fetcher = New(Config{
		Service: "s", Store: b.store, Judge: &Judge{Marks: b.engine.Service("s")}, Hasher: b.hasher, Origin: b,
		Policy: &httpcache.Policy{DefaultKeep: time.Hour}, Log: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(b.Close)
	return b
}

func (b *bench) Do(ctx context.Context, r *origin.Request) (*origin.Response, error) {
	return b.answer(ctx, r)
}

func says(body string, fields ...string) *origin.Response {
	r := &origin.Response{Status: 200, ContentLength: int64(len(body)), Body: io.NopCloser(strings.NewReader(body))}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Fields = r.Fields.Add(name, value)
	}
	return r
}

// A fetch is over for its client once that has all of the answer, and is forgotten a
// little later. Who comes in between and asks for what the origin says now is not
// given what it said before.
func TestAFetchThatIsOverAnswersNobodyAnew(t *testing.T) {
	b := newBench(t)
	var asked int
	var ended *flight
	b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
		asked++
		if b.mu.Lock(); ended == nil {
			ended = b.mu.running
			ended.holders.Add(1) // as if it had not ended
		}
		b.mu.Unlock()
		return says(fmt.Sprint(asked), "Cache-Control: max-age=60"), nil
	}
	get := func(change func(*Request)) string {
		r := b.request("/")
		change(r)
		a, err := b.Get(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return read(t, a)
	}
	first, err := b.Get(t.Context(), b.request("/"))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close() // what it read is kept until then
	if got := contentOf(t, first); got != "1" {
		t.Fatalf("at first %q", got)
	}
	b.running.Wait()
	b.mu.Lock()
	ended.listed = true
	b.mu.flights[ended.key] = append(b.mu.flights[ended.key], ended)
	b.mu.Unlock()
	defer ended.let()
	defer b.unlist(ended)
	if got := get(func(*Request) {}); got != "1" {
		t.Errorf("what will do is %q", got)
	}
	for i, renew := range []bool{false, true} { // nothing usable is stored for it, or something is
		want := fmt.Sprint(2 + i)
		if got := get(func(r *Request) { r.Anew, r.Renew = true, renew }); got != want {
			t.Errorf("anew it is %q, want %q", got, want)
		}
		b.running.Wait()
	}
}

// Whoever joins a fetch at its last moment reads all of its answer, however long it
// takes to get there, and though nothing of it is stored any more.
func TestWhoJoinsAtTheLastMomentReadsAll(t *testing.T) {
	b := newBench(t)
	gate := make(chan struct{})
	b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
		r := says("0123456789", "Cache-Control: max-age=60")
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("01234"), gated{gate}, strings.NewReader("56789")))
		return r, nil
	}
	first, err := b.Get(t.Context(), b.request("/"))
	if err != nil {
		t.Fatal(err)
	}
	r := b.request("/")
	fl, leads, _, err := b.joinOrStart(r, nil, "")
	if leads || err != nil {
		t.Fatalf("it has not joined: %v", err)
	}
	close(gate)
	if got := read(t, first); got != "0123456789" {
		t.Fatalf("the first reads %q", got)
	}
	b.running.Wait()
	o := b.store.Get(r.Key, r.Matcher)
	b.store.Remove(o, store.Removed)
	o.Release()
	late, err := fl.wait(t.Context(), r, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := read(t, late); got != "0123456789" {
		t.Errorf("the last reads %q", got)
	}
	if used := b.store.Stats().Bytes; used != 0 {
		t.Errorf("%d bytes are in use although nothing is stored or read", used)
	}
}

// gated is a reader of nothing, which ends when its gate opens.
type gated struct{ gate chan struct{} }

func (g gated) Read([]byte) (int, error) {
	<-g.gate
	return 0, io.EOF
}

type matching struct{ fields field.Fields }

func (m matching) MatchVariant(h *store.Head) bool {
	return httpcache.VariantMatches(h.Variant(), m.fields)
}

func (b *bench) request(path string, fields ...string) *Request {
	target := field.Target{Scheme: "http", Host: "h", Path: path}
	var list field.Fields
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		list = list.Add(name, value)
	}
	return &Request{
		Key: b.hasher.Key("s", target), Method: "GET", Target: target, Tagged: target, Host: "h",
		Fields: list, Matcher: matching{list}, Began: b.Marks().Position(),
	}
}

func read(t *testing.T, a *Answer) string {
	t.Helper()
	defer a.Close()
	return contentOf(t, a)
}

func contentOf(t *testing.T, a *Answer) string {
	t.Helper()
	var all strings.Builder
	for {
		p, err := a.Content.Next(t.Context())
		all.Write(p)
		if err == io.EOF {
			return all.String()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestCloseEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(ctx context.Context, _ *origin.Request) (*origin.Response, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		done := make(chan error)
		go func() {
			_, err := b.Get(context.Background(), b.request("/a"))
			done <- err
		}()
		synctest.Wait()
		b.Close()
		if err := <-done; !errors.Is(err, ErrClosed) {
			t.Errorf("the request that waited got %v", err)
		}
		if _, err := b.Get(context.Background(), b.request("/b")); !errors.Is(err, ErrClosed) {
			t.Errorf("a request after Close got %v", err)
		}
	})
}

func TestRefreshesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(ctx context.Context, _ *origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			return says("x", "Cache-Control: max-age=60"), nil
		}
		for i := range maxBackground + 50 {
			b.Refresh(b.request(fmt.Sprint("/", i)))
		}
		synctest.Wait()
		if n := b.Counters().Fetches.Load(); n != maxBackground {
			t.Errorf("%d refreshes at once, want %d", n, maxBackground)
		}
		time.Sleep(2 * time.Second)
		b.Refresh(b.request("/later"))
		synctest.Wait()
		if n := b.Counters().Refreshes.Load(); n != maxBackground+1 {
			t.Errorf("%d refreshes in all: the places were not given back", n)
		}
	})
}

// A request finds a stale response, and before it asks for a refresh, one that was
// under way ends: that was it.
func TestNoRefreshAfterTheOneThatHasJustEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
			return says("x", "Cache-Control: max-age=60, stale-while-revalidate=60"), nil
		}
		for _, refreshes := range []int64{0, 1, 1, 1} {
			if a, err := b.Get(t.Context(), b.request("/")); err != nil || read(t, a) != "x" {
				t.Fatal(err)
			}
			if refreshes == 1 && b.Counters().Refreshes.Load() == 0 {
				time.Sleep(61 * time.Second)
			}
			b.Refresh(b.request("/"))
			synctest.Wait()
			if n := b.Counters().Refreshes.Load(); n != refreshes {
				t.Errorf("%d refreshes, want %d", n, refreshes)
			}
		}
	})
}

// Requests that are refused one fetch because of a variant share the next.
func TestRefusedByVariantShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.answer = func(_ context.Context, r *origin.Request) (*origin.Response, error) {
			time.Sleep(time.Second)
			lang, _ := r.Fields.Get("Accept-Language")
			return says(lang, "Cache-Control: max-age=60", "Vary: Accept-Language"), nil
		}
		var all sync.WaitGroup
		for i := range 20 {
			lang := []string{"en", "de"}[i%2]
			all.Go(func() {
				a, err := b.Get(context.Background(), b.request("/a", "Accept-Language: "+lang))
				if err != nil {
					t.Error(err)
				} else if got := read(t, a); got != lang {
					t.Errorf("asked for %s, got %s", lang, got)
				}
			})
		}
		all.Wait()
		if n := b.Counters().Fetches.Load(); n != 2 {
			t.Errorf("%d requests reached the origin, want one a variant", n)
		}
	})
}

func TestKeysOverTheLimitAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		long := strings.Repeat("k", 2000)
		b.answer = func(context.Context, *origin.Request) (*origin.Response, error) {
			return says("x", "Cache-Control: max-age=60", "Surrogate-Key: a "+long+" b"), nil
		}
		a, err := b.Get(context.Background(), b.request("/a"))
		if err != nil {
			t.Fatal(err)
		}
		read(t, a)
		if n := b.Counters().IgnoredKeys.Load(); n != 2 {
			t.Errorf("%d keys counted as ignored, want the long one and the one after it", n)
		}
	})
}

// "Dead" is never remembered, because an undo may take it back; "live" is, for
// the position it was found at and no later one.
func TestJudgeRemembersLifeOnly(t *testing.T) {
	b := newBench(t)
	tag := b.hasher.Surrogate("s", "k")
	head := store.NewHead(store.HeadSpec{Tags: []field.Tag{tag}, Times: field.Times{Fresh: 1e18, SWR: 1e18, SIE: 1e18, Keep: 1e18}})
	o := b.store.Put(store.Draft{Head: head, Judge: b.cfg.Judge})
	defer o.Release()
	verdict := func() store.State { return b.cfg.Judge.Judge(o).State }
	apply := func(tag field.Tag) purge.ID {
		id := purge.NewID(1)
		b.engine.Apply(time.Now().UnixNano(), purge.Purge{ID: id, Service: "s", Tags: []field.Tag{tag}})
		return id
	}
	apply(tag + 1)
	if verdict() != store.Live || o.Checked() != 1 {
		t.Errorf("after another tag's purge: %v, checked up to %d", verdict(), o.Checked())
	}
	id := apply(tag)
	if verdict() != store.Spare || o.Checked() != 1 {
		t.Errorf("purged: %v, checked up to %d", verdict(), o.Checked())
	}
	b.engine.Revert(time.Now().UnixNano(), id)
	if verdict() != store.Live {
		t.Errorf("reverted: %v", verdict())
	}
	o.Withdraw()
	apply(tag + 2)
	if verdict() != store.Dead {
		t.Errorf("swept while somebody held it: %v", verdict())
	}
}
